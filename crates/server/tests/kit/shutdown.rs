//! A server that is told to end has ended within its grace, whatever its clients do.

use std::future::pending;
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel, Code};
use freehold_server::{Error, Running, Server};
use freehold_wire::dispatch::Messages;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::bare::{frame, tester};
use crate::echo::{CONTRACT, Echo, PATIENCE, READ, STREAM, Served, note};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Longer than any test lasts.
const FOREVER: Duration = Duration::from_secs(3600);
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

async fn ends(served: Served) {
    served.shutdown.cancel();
    timeout(PATIENCE, served.ended).await.expect("the server hangs").unwrap().unwrap();
}

/// C22: a client that says nothing, one that stops half-way through its preface, and one that only sends SETTINGS and
/// answers no ping. The planted fault is a grace without an end: each of the three then holds the server.
#[tokio::test]
async fn clients_that_never_call_do_not_hold_up_the_end() {
    for said in [&b""[..], &PREFACE[..10], &[PREFACE, SETTINGS].concat()] {
        let tries = async { while !hangs_without_end(said).await {} };
        timeout(PATIENCE, tries).await.expect("it ends without its grace, so this proves nothing");
    }
}

/// A server ends beside such a client; whether one whose grace is long does not. On a machine that stands still it may
/// have let the client go before.
async fn hangs_without_end(said: &[u8]) -> bool {
    let (served, _client) = told_no_more_than(said, Server::new("first", &CONTRACT)).await;
    let (hanging, _client) = told_no_more_than(said, Server::new("first", &CONTRACT).grace(FOREVER)).await;
    hanging.shutdown.cancel();
    ends(served).await;
    hanging.ended.abort();
    hanging.ended.await.is_err_and(|ended| ended.is_cancelled())
}

/// A client that never says that it speaks HTTP/2 is let go, and its place is free again.
#[tokio::test]
async fn a_client_that_never_speaks_is_let_go() {
    let (_served, mut client) = told_no_more_than(&PREFACE[..10], Server::new("first", &CONTRACT)).await;
    let rest = timeout(PATIENCE, client.read(&mut [0; 1])).await.expect("the connection is kept");
    assert_eq!(rest.unwrap_or_default(), 0);
}

async fn told_no_more_than(said: &[u8], server: Server) -> (Served, TcpStream) {
    let served = Served::of(server.serve(Echo::new()).bind().await.unwrap());
    let mut client = TcpStream::connect(&served.authority).await.unwrap();
    client.write_all(said).await.unwrap();
    if said.len() > PREFACE.len() {
        client.read_exact(&mut [0; 9]).await.unwrap();
    }
    // A call on another connection shows that the server has come to look at this one.
    served.read("").await.unwrap();
    (served, client)
}

/// A stream that waits ends at once and says why; the grace is for calls that get somewhere.
#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_end() {
    let echo = Echo::new().stream(|_, _| async { Ok(Messages::new(futures_util::stream::once(pending()))) });
    let bound = Server::new("first", &CONTRACT).serve(echo).grace(FOREVER).bind().await.unwrap();
    let served = Served::of(bound);
    let channel = served.channel("tester");
    let mut stream = channel.server_streaming(&STREAM, note(""), &CallOptions::new()).await.unwrap();
    let ended = tokio::spawn(ends(served));
    let error = timeout(PATIENCE, stream.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, "ENDING"));
    ended.await.unwrap();
}

/// A call that has begun is finished within the grace; a new connection is refused.
#[tokio::test]
async fn a_call_that_has_begun_is_finished() {
    let (begun, mut running) = mpsc::unbounded_channel();
    let finish = CancellationToken::new();
    let told = finish.clone();
    let echo = Echo::new().read(move |_, note| {
        let (begun, told) = (begun.clone(), told.clone());
        async move {
            begun.send(()).unwrap();
            told.cancelled().await;
            Ok(note)
        }
    });
    let bound = Server::new("first", &CONTRACT).serve(echo).grace(FOREVER).bind().await.unwrap();
    let served = Served::of(bound);
    let channel = served.channel("tester");
    let call = tokio::spawn(async move { channel.unary(&READ, note("done"), &CallOptions::new()).await });
    running.recv().await.unwrap();
    served.shutdown.cancel();
    timeout(PATIENCE, async {
        while TcpStream::connect(&served.authority).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it still takes connections");
    finish.cancel();
    assert_eq!(timeout(PATIENCE, call).await.unwrap().unwrap().unwrap().text, "done");
    timeout(PATIENCE, served.ended).await.unwrap().unwrap().unwrap();
}

/// C21: a restart that hands over the listening socket fails no call: what was not taken is sent again by the client.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_fails_no_call() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let (channel, over) = (Channel::new("tester", &url).unwrap(), CancellationToken::new());
    let mut callers = JoinSet::new();
    for caller in 0..8 {
        let (channel, over) = (channel.clone(), over.clone());
        callers.spawn(async move {
            let mut calls = 0;
            while !over.is_cancelled() {
                let answer = channel.unary(&READ, note(caller.to_string()), &CallOptions::new()).await;
                assert_eq!(
                    answer.map(|note| note.text).map_err(|error| error.to_string()),
                    Ok(caller.to_string())
                );
                calls += 1;
            }
            calls
        });
    }
    for _restart in 0..10 {
        let (called, mut calls) = mpsc::channel(1);
        let echo = Echo::new().read(move |_, note| {
            let _ = called.try_send(());
            async { Ok(note) }
        });
        let handed = socket.try_clone().unwrap();
        let served =
            Served::of(Server::new("first", &CONTRACT).serve(echo).listen(handed).bind().await.unwrap());
        for _ in 0..100 {
            timeout(PATIENCE, calls.recv()).await.expect("no call comes").unwrap();
        }
        ends(served).await;
    }
    over.cancel();
    let bound = Server::new("first", &CONTRACT).serve(Echo::new()).listen(socket).bind().await.unwrap();
    let served = Served::of(bound);
    let calls: Vec<i32> = timeout(PATIENCE, callers.join_all()).await.unwrap();
    assert!(calls.iter().sum::<i32>() >= 1000, "{calls:?}");
    ends(served).await;
}

/// C21: a client that had connected when the server was told to end, and was not looked at yet, is not left in doubt:
/// its call is answered, or given back in HTTP/2. A listener that is closed over it would break the connection.
#[tokio::test]
async fn a_client_that_waits_with_the_system_is_not_left_in_doubt() {
    let bound = Server::new("first", &CONTRACT).serve(Echo::new()).bind().await.unwrap();
    let socket = TcpStream::connect(bound.addr()).await.unwrap();
    let (mut client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::post("http://test/echo.v1.EchoService/Read").body(()).unwrap();
    *request.headers_mut() = tester();
    let (response, mut body) = client.send_request(request, false).unwrap();
    body.send_data(frame(&[]), true).unwrap();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    timeout(PATIENCE, bound.run(shutdown)).await.unwrap().unwrap();
    match timeout(PATIENCE, response).await.unwrap() {
        Ok(response) => assert_eq!(response.status(), 200),
        Err(error) => assert!(error.is_go_away() && error.is_remote(), "{error}"),
    }
}

/// A call that does not end within the grace is cut off: its handler is dropped, its caller gets an error.
#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off() {
    let (begun, mut running) = mpsc::unbounded_channel();
    let echo = Echo::new().read(move |_, _| {
        begun.send(()).unwrap();
        pending()
    });
    let grace = Duration::from_millis(100);
    let bound = Server::new("first", &CONTRACT).serve(echo).grace(grace).bind().await.unwrap();
    let served = Served::of(bound);
    let channel = served.channel("tester");
    let call = tokio::spawn(async move { channel.unary(&READ, note(""), &CallOptions::new()).await });
    running.recv().await.unwrap();
    let told = Instant::now();
    ends(served).await;
    assert!(told.elapsed() >= grace, "it was not given its grace");
    let error = timeout(PATIENCE, call).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}

/// What a service started beside its server stops after it, in order.
#[tokio::test]
async fn what_runs_beside_a_server_stops_after_it_in_order() {
    let (stopped, mut order) = mpsc::unbounded_channel();
    let bound = Server::new("first", &CONTRACT).serve(Echo::new()).bind().await.unwrap();
    let authority = bound.addr().to_string();
    let (first, second) = (stopped.clone(), stopped);
    let running = Running::new(bound)
        .then_stop(move || async move { first.send(TcpStream::connect(authority).await.is_err()).unwrap() })
        .then_stop(move || async move { second.send(true).unwrap() });
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    timeout(PATIENCE, running.run(shutdown)).await.unwrap().unwrap();
    assert_eq!((order.recv().await, order.recv().await, order.recv().await), (Some(true), Some(true), None));
}

/// A service whose store has ended would answer nothing but errors, and its balancer would not know.
#[tokio::test]
async fn a_server_ends_with_what_it_needs_and_says_so() {
    let (lost, gone) = oneshot::channel::<()>();
    let (stopped, order) = oneshot::channel();
    let bound = Server::new("first", &CONTRACT).serve(Echo::new()).bind().await.unwrap();
    let authority = bound.addr().to_string();
    let running = Running::new(bound)
        .needs("store", async move { gone.await.unwrap() })
        .needs("roof", pending())
        .then_stop(
            move || async move { stopped.send(TcpStream::connect(authority).await.is_err()).unwrap() },
        );
    let served = tokio::spawn(running.run(CancellationToken::new()));
    lost.send(()).unwrap();
    let ended = timeout(PATIENCE, served).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Error::Gone { part: "store" })), "{ended:?}");
    assert_eq!(order.await, Ok(true), "what runs beside it is stopped after it");
}
