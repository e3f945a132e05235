//! What a server counts, as Prometheus gets it: over a real socket, read as strictly as the standard has it. Each test is
//! an owner of its own.

use freehold_client::{CallOptions, Channel, Mesh};
use freehold_metrics::{CONTENT_TYPE, Scraped};
use freehold_server::Server;
use freehold_testkit::eventually;
use freehold_wire::Method;
use freehold_wire::dispatch::Messages;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Status;

use crate::bare::{Bare, frame, tester};
use crate::echo::{CONTRACT, Echo, Note, OPEN, PATIENCE, READ, STREAM, Served, note};

/// The answer to a request over HTTP/1.1: its head and its body.
async fn get(authority: &str, path: &str) -> (String, String) {
    let mut socket = TcpStream::connect(authority).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut answer)).await.expect("no answer").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn scraped(server: &Served) -> Scraped {
    let (head, body) = get(&server.authority, "/metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains(&format!("content-type: {CONTENT_TYPE}")), "{head}");
    Scraped::read(&body).unwrap_or_else(|malformed| panic!("{malformed:?} in\n{body}"))
}

/// How many calls of a method ended with a code.
fn calls(scraped: &Scraped, method: &str, code: &str) -> f64 {
    let all = [
        ("rpc_system_name", "grpc"),
        ("rpc_method", method),
        ("rpc_status_code", code),
        ("error_type", code),
    ];
    let labels = if code == "OK" { &all[..3] } else { &all };
    scraped.value("rpc_server_call_duration_seconds_count", labels).unwrap_or_default()
}

fn refusals(scraped: &Scraped, method: &str, reason: &str) -> f64 {
    let labels = [("rpc_method", method), ("reason", reason)];
    scraped.value("freehold_server_refusals_total", &labels).unwrap_or_default()
}

fn channel(server: &Served, consumer: &str) -> Channel {
    Mesh::fixed(consumer, [("counted", server.url())]).channel("counted").unwrap()
}

async fn call(server: &Served, consumer: &str, method: &Method<Note, Note>, text: &str) {
    let _outcome = channel(server, consumer).unary(method, note(text), &CallOptions::new()).await;
}

/// Planted bug: refusals counted as handled calls, and streams when they begin.
#[tokio::test]
async fn calls_are_counted_by_method_and_code_and_refusals_by_reason() {
    let echo = Echo::new().read(|_, said| async move {
        match said.text.as_str() {
            "missing" => Err(Status::not_found("nothing")),
            "panic" => panic!("as asked"),
            _ => Ok(said),
        }
    });
    let server = echo.serve_as("counted").await;
    for text in ["a", "b", "c", "missing", "panic"] {
        call(&server, "tester", &READ, text).await;
    }
    call(&server, "nobody", &READ, "a").await;
    call(&server, "nobody", &OPEN, "a").await;
    let mut bare = Bare::connect(&server.authority).await;
    bare.call("/echo.v1.EchoService/Nothing", tester(), frame(b"")).await;
    let mut late = tester();
    late.insert("grpc-timeout", "0S".parse().unwrap());
    bare.call(READ.rules().path, late, frame(b"")).await;

    let (read, open) = (READ.rules().name(), OPEN.rules().name());
    let scraped = scraped(&server).await;
    for (method, code, count) in [
        (read, "OK", 3.0),
        (read, "NOT_FOUND", 1.0),
        (read, "INTERNAL", 1.0),
        (read, "PERMISSION_DENIED", 1.0),
        (read, "DEADLINE_EXCEEDED", 1.0),
        (open, "OK", 1.0),
        ("_OTHER", "UNIMPLEMENTED", 1.0),
        (read, "CANCELLED", 0.0),
    ] {
        assert_eq!(calls(&scraped, method, code), count, "{method} {code}");
    }
    for (method, reason, count) in [
        (read, "PANIC", 1.0),
        (read, "UNDECLARED", 1.0),
        (read, "DEADLINE_SPENT", 1.0),
        (read, "NOT_FOUND", 0.0),
        ("_OTHER", "UNIMPLEMENTED", 1.0),
    ] {
        assert_eq!(refusals(&scraped, method, reason), count, "{method} {reason}");
    }
}

/// A stream is under way until its last message, and one that its caller leaves was cancelled.
#[tokio::test]
async fn a_stream_is_a_call_under_way_until_it_ends() {
    let server = Echo::new()
        .stream(|_, said| async move {
            use tokio_stream::StreamExt;
            let first = tokio_stream::once(Ok(said));
            Ok(Messages::new(first.chain(tokio_stream::pending())))
        })
        .serve_as("streaming")
        .await;
    let method = STREAM.rules().name();
    let in_flight =
        async || scraped(&server).await.value("freehold_server_calls_in_flight", &[("rpc_method", method)]);
    let channel = channel(&server, "tester");
    let mut messages = channel.server_streaming(&STREAM, note("a"), &CallOptions::new()).await.unwrap();
    messages.next().await.unwrap().unwrap();
    assert_eq!(in_flight().await, Some(1.0));
    drop(messages);
    eventually("the stream has ended", PATIENCE, async || in_flight().await.filter(|left| *left == 0.0))
        .await;
    assert_eq!(calls(&scraped(&server).await, method, "CANCELLED"), 1.0);
}

#[tokio::test]
async fn connections_are_counted_and_so_are_those_without_a_place() {
    let server = Server::new("connected", &CONTRACT).serve(Echo::new()).max_connections(4);
    let server = Served::of(server.bind().await.unwrap());
    // A scrape would be a connection too, and might find no place.
    let count = async |name: &str, labels: &[(&str, &str)]| {
        Scraped::read(&freehold_metrics::of("connected").scrape()).unwrap().value(name, labels)
    };
    let there = async |wanted: f64| {
        let there = async || count("freehold_server_connections", &[]).await.filter(|there| *there == wanted);
        eventually("so many are there", PATIENCE, there).await;
    };
    let first = Bare::connect(&server.authority).await;
    there(1.0).await;
    let second = Bare::connect(&server.authority).await;
    there(2.0).await;
    let mut third = TcpStream::connect(&server.authority).await.unwrap();
    let mut said = Vec::new();
    timeout(PATIENCE, third.read_to_end(&mut said)).await.unwrap().unwrap();
    assert!(!said.is_empty(), "it is told that there is no place");
    let refused = [("reason", "peer")];
    assert_eq!(count("freehold_server_refused_connections_total", &refused).await, Some(1.0));
    drop((first, second));
    there(0.0).await;
}

/// Whoever comes with HTTP/1.1 for anything else is told what is here.
#[tokio::test]
async fn a_server_of_grpc_alone_has_nothing_else_for_http_1() {
    let server = Echo::new().serve_as("other").await;
    let (head, body) = get(&server.authority, "/a").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(body, "here are gRPC and GET /metrics\n");
}
