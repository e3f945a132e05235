//! How many connections and calls there may be, and what whoever is too many is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use freehold_client::{CallOptions, Channel};
use freehold_server::Server;
use freehold_testkit::{FaultProxy, eventually};
use futures_util::StreamExt;
use futures_util::future::join_all;
use h2::client::SendRequest;
use http::Request;
use prost::Message;
use tokio::net::TcpSocket;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::bare::{frame, tester};
use crate::echo::{CONTRACT, Echo, PATIENCE, READ, Served, note};

/// HTTP/2's ENHANCE_YOUR_CALM.
const CALM: h2::Reason = h2::Reason::ENHANCE_YOUR_CALM;

/// A connection from an address of this machine.
struct Peer {
    calls: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Peer {
    async fn connect(from: [u8; 4], to: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::from(from), 0).into()).unwrap();
        let stream = socket.connect(to.parse::<SocketAddr>().unwrap()).await.unwrap();
        // Small answers of many calls may wait here, too.
        let mut client = h2::client::Builder::new();
        client.initial_connection_window_size(4 * 1024 * 1024);
        let (calls, connection) = client.handshake(stream).await.unwrap();
        Self { calls, connection: tokio::spawn(connection) }
    }

    /// Calls `Read`, and says why that did not go.
    async fn call(&mut self) -> Result<(), h2::Error> {
        std::future::poll_fn(|context| self.calls.poll_ready(context)).await?;
        let mut request = Request::post("http://test/echo.v1.EchoService/Read").body(()).unwrap();
        *request.headers_mut() = tester();
        let (response, mut body) = self.calls.send_request(request, false)?;
        body.send_data(frame(&[]), true)?;
        response.await.map(drop)
    }

    /// Calls `Read`, and gives the code of the GOAWAY that it got instead of an answer.
    async fn refusal(mut self) -> Option<h2::Reason> {
        let refused = timeout(PATIENCE, self.call()).await.expect("no answer").err()?;
        let error = if refused.is_go_away() { refused } else { self.connection.await.unwrap().err()? };
        error.is_go_away().then(|| error.reason()).flatten()
    }
}

/// C26: one peer gets half of the places, all peers all of them; whoever is too many is told in HTTP/2 that nothing was
/// taken, and a place that is free again is given out. The planted faults are a limit that lets the surplus wait with the
/// system, as it did, and one that counts all peers as one.
#[tokio::test]
async fn no_peer_takes_all_places() {
    let server = Server::new("first", &CONTRACT).serve(Echo::new()).max_connections(4);
    let served = Served::of(server.bind().await.unwrap());
    let (one, other, third) = ([127, 0, 0, 1], [127, 0, 0, 2], [127, 0, 0, 3]);
    let mut peers = Vec::new();
    for from in [one, one, other, other] {
        let mut peer = Peer::connect(from, &served.authority).await;
        peer.call().await.unwrap();
        peers.push(peer);
        if peers.len() == 2 {
            assert_eq!(Peer::connect(one, &served.authority).await.refusal().await, Some(CALM));
        }
    }
    assert_eq!(Peer::connect(third, &served.authority).await.refusal().await, Some(CALM));
    let Peer { calls, connection } = peers.remove(0);
    drop(calls);
    timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
    eventually("the free place", PATIENCE, async || {
        Peer::connect(third, &served.authority).await.call().await.ok()
    })
    .await;
    for peer in &mut peers {
        peer.call().await.expect("who has a place keeps it");
    }
}

/// C21: connections that are told to go for their age fail no call.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_old_is_replaced_without_a_failed_call() {
    let server =
        Server::new("first", &CONTRACT).serve(Echo::new()).max_connection_age(Duration::from_millis(20));
    let served = Served::of(server.bind().await.unwrap());
    let proxy = FaultProxy::before(&served.authority).await;
    let (channel, over) = (Channel::new("tester", &proxy.url()).unwrap(), CancellationToken::new());
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let (channel, over) = (channel.clone(), over.clone());
        callers.spawn(async move {
            while !over.is_cancelled() {
                channel.unary(&READ, note(""), &CallOptions::new()).await.unwrap();
            }
        });
    }
    eventually("ten connections, one after the other", PATIENCE, async || {
        (proxy.connections().accepted >= 10).then_some(())
    })
    .await;
    over.cancel();
    timeout(PATIENCE, callers.join_all()).await.unwrap();
}

/// Small messages that wait unread on every call of a connection do not end it. The planted fault is a window of 1 MiB:
/// the HTTP library then takes them for a flood, and all calls of the connection are gone.
#[tokio::test]
async fn small_messages_may_wait_on_every_call() {
    const CALLS: usize = 500;
    const MESSAGES: usize = 15;
    let (begun, read) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let (counted, told) = (begun.clone(), read.clone());
    let echo = Echo::new().collect(move |_, mut notes| {
        counted.fetch_add(1, Ordering::Relaxed);
        let told = told.clone();
        async move {
            told.cancelled().await;
            let mut count = 0;
            while let Some(note) = notes.next().await {
                count += usize::from(note?.text == "a");
            }
            Ok(note(count.to_string()))
        }
    });
    let served = echo.serve().await;
    let mut peer = Peer::connect([127, 0, 0, 1], &served.authority).await;
    let message = frame(&note("a").encode_to_vec());
    let mut answers = Vec::new();
    for _ in 0..CALLS {
        std::future::poll_fn(|context| peer.calls.poll_ready(context)).await.unwrap();
        let mut request = Request::post("http://test/echo.v1.EchoService/Collect").body(()).unwrap();
        *request.headers_mut() = tester();
        let (response, mut body) = peer.calls.send_request(request, false).unwrap();
        for sent in 1..=MESSAGES {
            body.send_data(message.clone(), sent == MESSAGES).unwrap();
        }
        answers.push(tokio::spawn(async move {
            let mut body = response.await.unwrap().into_body();
            body.data().await.unwrap().unwrap()
        }));
    }
    eventually("all calls", PATIENCE, async || (begun.load(Ordering::Relaxed) == CALLS).then_some(())).await;
    // What was sent last has arrived when a later call is answered.
    peer.call().await.unwrap();
    read.cancel();
    let all = frame(&note(MESSAGES.to_string()).encode_to_vec());
    for answer in timeout(PATIENCE, join_all(answers)).await.unwrap() {
        assert_eq!(answer.unwrap(), all);
    }
}
