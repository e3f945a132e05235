//! C21: replicas that restart one after the other, and connections that are ended for their age, under load.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use freehold_client::{CallOptions, Channel};
use freehold_server::Server;
use freehold_testkit::{eventually, rounds};
use tokio_util::sync::CancellationToken;

use crate::echo::{COLLECT, CONTRACT, Echo, PATIENCE, READ, Served, note};

const REPLICAS: usize = 3;
const CALLERS: usize = 8;
/// So many calls pass between two restarts.
const BETWEEN: u64 = 200;
/// Far below what anybody would ask for: every connection is replaced again and again.
const AGE: Duration = Duration::from_millis(100);

async fn serve(at: SocketAddr) -> Served {
    let server = Server::new("first", &CONTRACT).serve(Echo::new()).listen(at).max_connection_age(AGE);
    Served::of(server.bind().await.unwrap())
}

/// Calls without a pause until it is told to stop: reads, and what may be sent only once.
async fn call(channel: Channel, calls: Arc<AtomicU64>, over: CancellationToken) {
    while !over.is_cancelled() {
        let method = if calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { &READ } else { &COLLECT };
        channel.unary(method, note("?"), &CallOptions::new()).await.unwrap();
    }
}

/// `cargo xtask soak calls` makes it a hundred restarts.
#[tokio::test]
async fn restarts_and_aged_connections_cost_no_call() {
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(serve(([127, 0, 0, 1], 0).into()).await);
    }
    let urls: Vec<String> = replicas.iter().map(Served::url).collect();
    let channel = Channel::new("tester", &urls.join(",")).unwrap();
    let (calls, over) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
    let callers: Vec<_> =
        (0..CALLERS).map(|_| tokio::spawn(call(channel.clone(), calls.clone(), over.clone()))).collect();
    for restart in 0..rounds(10) as usize {
        let before = calls.load(Ordering::Relaxed);
        eventually("calls between restarts, none of them failed", PATIENCE, async || {
            assert!(callers.iter().all(|caller| !caller.is_finished()), "a call failed");
            (calls.load(Ordering::Relaxed) >= before + BETWEEN).then_some(())
        })
        .await;
        let replica = &mut replicas[restart % REPLICAS];
        let address: SocketAddr = replica.authority.parse().unwrap();
        replica.shutdown.cancel();
        (&mut replica.ended).await.unwrap().unwrap();
        *replica = serve(address).await;
    }
    over.cancel();
    for caller in callers {
        caller.await.expect("a call failed");
    }
}

/// One server on several sockets answers on each of them.
#[tokio::test]
async fn a_server_answers_on_all_of_its_sockets() {
    let sockets: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let places: Vec<SocketAddr> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    let listen = freehold_server::Listen::On(sockets);
    let served =
        Served::of(Server::new("first", &CONTRACT).serve(Echo::new()).listen(listen).bind().await.unwrap());
    assert_eq!(served.authority, places[0].to_string());
    for place in places {
        let channel = Channel::new("tester", &format!("http://{place}")).unwrap();
        assert_eq!(channel.unary(&READ, note("here"), &CallOptions::new()).await.unwrap().text, "here");
    }
}
