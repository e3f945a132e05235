//! What is not gRPC, on the port of what is.

use std::convert::Infallible;

use bytes::Bytes;
use freehold_client::CallOptions;
use freehold_server::Server;
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::body::Body;
use tower::service_fn;

use crate::bare::{Bare, frame, tester};
use crate::echo::{CONTRACT, Echo, PATIENCE, READ, Served, note};

/// A server of both: what is not gRPC is answered with its path.
async fn serve() -> Served {
    let web = service_fn(|request: Request<Body>| async move {
        let path = request.uri().path().to_owned();
        assert_ne!(path, "/panic", "as asked");
        Ok::<_, Infallible>(Response::new(Body::new(path)))
    });
    Served::of(Server::new("first", &CONTRACT).serve(Echo::new()).web(web).bind().await.unwrap())
}

/// All that is answered to these bytes until the server ends the connection.
async fn said(server: &Served, bytes: &[&[u8]]) -> String {
    let mut socket = TcpStream::connect(&server.authority).await.unwrap();
    socket.set_nodelay(true).unwrap();
    for part in bytes {
        socket.write_all(part).await.unwrap();
    }
    let mut answer = String::new();
    let read = timeout(PATIENCE, socket.read_to_string(&mut answer)).await.expect("the connection ends");
    read.map(|_| answer).unwrap_or_default()
}

#[tokio::test]
async fn one_port_answers_grpc_and_http_1_and_http_2() {
    let server = serve().await;
    let answer = said(&server, &[b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"]).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n/a"), "{answer}");
    let reply = server.channel("tester").unary(&READ, note("hello"), &CallOptions::new()).await.unwrap();
    assert_eq!(reply.text, "hello");

    let mut bare = Bare::connect(&server.authority).await;
    let called = bare.call(READ.rules().path, tester(), frame(b"")).await;
    assert_eq!(called.status.code(), tonic::Code::Ok);
    let mut headers = tester();
    headers.insert("content-type", "application/json".parse().unwrap());
    let asked = bare.ask("/b", headers).await;
    assert_eq!(asked, Bytes::from_static(b"/b"));
}

/// The first bytes of HTTP/2 may come one by one; so may those of HTTP/1.1, which begin alike where it is a PRI or PUT.
#[tokio::test]
async fn what_is_spoken_is_told_from_the_first_bytes_that_differ() {
    let server = serve().await;
    for method in ["PUT", "PRI", "P"] {
        let (first, rest) = method.split_at(1);
        let head = format!("{rest} /{method} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = said(&server, &[first.as_bytes(), head.as_bytes()]).await;
        assert!(answer.ends_with(&format!("/{method}")), "{method}: {answer}");
    }
}

#[tokio::test]
async fn a_panic_is_500_and_ends_nothing_else() {
    let server = serve().await;
    let asked: &[u8] =
        b"GET /panic HTTP/1.1\r\nhost: x\r\n\r\nGET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = said(&server, &[asked]).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n/a"), "{answer}");
}
