//! Several replicas of one service, some of them bad.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::peer::{Call, Manner, ONCE, PATIENCE, Peer, READ, WRITE, note};

async fn good() -> Peer {
    Peer::start(|call: Call| async { call.answer("good") }).await
}

/// The most calls that a bad replica may get, where it would get so many on a machine that works all the time. On one
/// that stands still a good one looks slow for a while, and the next probe of a bad one is sooner due.
fn most_calls(calls: usize, began: Instant) -> usize {
    calls + usize::try_from(began.elapsed().as_secs()).unwrap_or(0)
}

/// C16: one of three fails at once. With tonic's balance, a third of the calls fail.
#[tokio::test]
async fn a_replica_that_fails_fast_costs_no_caller_anything() {
    let bad = Peer::start(|call: Call| async { call.fail() }).await;
    let peers = [good().await, bad, good().await];
    let (channel, began) = (Peer::channel_to(&peers), Instant::now());
    for _ in 0..1_000 {
        channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
    }
    assert!(peers[1].calls() <= most_calls(10, began), "{} calls", peers[1].calls());
    assert!(peers[0].calls() > 250 && peers[2].calls() > 250, "the others share the calls");
}

/// C16: a replica that was ejected is asked again by single probes, and gets calls like the others once it is well. The
/// planted bug is a balancer that never probes.
#[tokio::test]
async fn a_replica_that_is_well_again_gets_calls_again() {
    let (broken, watched) = watch::channel(false);
    let healing = Peer::start(move |call: Call| {
        let broken = *watched.borrow();
        async move { if broken { call.fail() } else { call.answer("well") } }
    });
    let peers = [good().await, healing.await, good().await];
    let (channel, options) = (Peer::channel_to(&peers), CallOptions::new());
    let at_once = async |calls| {
        join_all((0..calls).map(|_| channel.unary(&READ, note("?"), &options)))
            .await
            .iter()
            .filter(|call| call.is_ok())
            .count()
    };
    assert_eq!(at_once(100).await, 100);
    broken.send(true).unwrap();
    // So many are under way before the first of them fails that it fails far more often than it may in a row.
    at_once(300).await;
    broken.send(false).unwrap();
    let before = peers[1].calls();
    let again = async {
        while peers[1].calls() < before + 20 {
            at_once(1).await;
        }
    };
    timeout(PATIENCE, again).await.expect("it gets no calls");
}

/// C17: one of three is slow. With tonic's balance it has a third of the calls.
#[tokio::test]
async fn a_slow_replica_gets_next_to_no_calls() {
    let slow = Peer::start(|call: Call| async {
        let slow = timeout(Duration::from_millis(300), pending::<()>());
        assert!(slow.await.is_err());
        call.answer("slow");
    });
    let peers = [good().await, slow.await, good().await];
    let (channel, began) = (Peer::channel_to(&peers), Instant::now());
    let one_after_another = || async {
        for _ in 0..100 {
            channel.unary(&WRITE, note("?"), &CallOptions::new()).await.unwrap();
        }
    };
    join_all((0..10).map(|_| one_after_another())).await;
    assert!(peers[1].calls() <= most_calls(20, began), "{} of 1000 calls", peers[1].calls());
}

/// C7, C14: a replica that is not there costs nothing either, also where a call may be sent only once.
#[tokio::test]
async fn a_dead_replica_is_walked_around() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let peer = good().await;
    let channel = Channel::new("tester", &format!("http://{gone},http://{}", peer.address())).unwrap();
    for _ in 0..100 {
        channel.unary(&ONCE, note("?"), &CallOptions::new()).await.unwrap();
    }
    assert_eq!(peer.calls(), 100);
}

/// C19: a peer that closes every connection is dialled with growing waits. tonic alone dials thousands of times.
#[tokio::test]
async fn a_peer_that_closes_everything_is_dialled_five_times_in_two_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::new("tester", &format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let dials = Arc::new(AtomicUsize::new(0));
    let counted = dials.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(socket);
        }
    });
    let (options, began) = (CallOptions::new().with_deadline(Duration::from_millis(1_900)), Instant::now());
    let twice = async {
        while dials.load(Ordering::SeqCst) < 2 {
            let calls = (0..50).map(|_| channel.unary(&READ, note("?"), &options));
            for outcome in join_all(calls).await {
                assert!(outcome.unwrap_err().is_unavailable());
            }
        }
    };
    timeout(PATIENCE, twice).await.expect("it is not dialled again");
    // A machine that stands still ends the calls late.
    let (dials, took) = (dials.load(Ordering::SeqCst), began.elapsed());
    assert!(dials as f64 <= 5.0 * (took.as_secs_f64() / 2.0).ceil(), "{dials} dials in {took:?}");
}

/// C21: connections that end in good order after a few calls each: no call fails, also none that may be sent only once.
#[tokio::test]
async fn connections_that_end_in_good_order_cost_no_call() {
    let manner = Manner { age: Some(7), ..Manner::default() };
    let mut peers = Vec::new();
    for _ in 0..2 {
        let answering = |call: Call| async { call.answer("good") };
        peers.push(Peer::mannered(manner.clone(), answering).await);
    }
    let channel = Peer::channel_to(&peers);
    let one_after_another = || async {
        for _ in 0..100 {
            channel.unary(&ONCE, note("?"), &CallOptions::new()).await.unwrap();
        }
    };
    join_all((0..8).map(|_| one_after_another())).await;
    assert_eq!(peers[0].calls() + peers[1].calls(), 800, "none was seen twice");
    assert!(peers[0].connections() + peers[1].connections() > 20);
}

/// C33: where a connection has all the calls that it takes, there is another connection; tonic alone queues.
#[tokio::test]
async fn a_full_connection_is_followed_by_another() {
    let manner = Manner { streams: Some(2), ..Manner::default() };
    let peer = Peer::mannered(manner, |mut call: Call| async move {
        match call.asked().await.as_str() {
            "held" => _ = call.given_up().await,
            _ => call.answer("taken"),
        }
    })
    .await;
    let channel = peer.channel();
    let (held_one, held_two) = (CallOptions::new(), CallOptions::new());
    let held = join_all([&held_one, &held_two].map(|options| channel.unary(&ONCE, note("held"), options)));
    let more = async {
        while peer.calls() < 2 {
            tokio::task::yield_now().await;
        }
        channel.unary(&ONCE, note("?"), &CallOptions::new()).await.unwrap()
    };
    let answer = tokio::select! {
        answer = timeout(PATIENCE, more) => answer.unwrap(),
        _ = held => unreachable!("these are held"),
    };
    assert_eq!(answer.text, "taken");
    assert_eq!(peer.connections(), 2);
}

/// C33: with every connection full, a call ends at its deadline, says so, and was in no queue of the peer's.
#[tokio::test]
async fn with_every_connection_full_a_call_ends_unseen_at_its_deadline() {
    let manner = Manner { streams: Some(1), ..Manner::default() };
    let peer = Peer::mannered(manner, |call: Call| async { _ = call.given_up().await }).await;
    let channel = peer.channel();
    let options = CallOptions::new();
    let held = join_all((0..8).map(|_| channel.unary(&ONCE, note("held"), &options)));
    let late = async {
        while peer.calls() < 8 {
            tokio::task::yield_now().await;
        }
        let short = CallOptions::new().with_deadline(Duration::from_millis(100));
        loop {
            let error = channel.unary(&ONCE, note("?"), &short).await.unwrap_err();
            // On a machine that stands still it may not come to look for a connection.
            if error.reason() != "DEADLINE_SPENT" {
                return error;
            }
        }
    };
    let error = tokio::select! {
        error = timeout(PATIENCE, late) => error.unwrap(),
        _ = held => unreachable!("these are held"),
    };
    assert_eq!(error.reason(), "CONNECTIONS_FULL");
    assert!(error.is_deadline_exceeded() && error.is_unprocessed());
    assert_eq!((peer.calls(), peer.connections()), (8, 8));
}

/// C35: a replica that says NOT_SERVING gets no new calls; it does again when it says SERVING. One without a health
/// service counts as healthy.
#[tokio::test]
async fn a_replica_that_does_not_serve_gets_no_calls() {
    let (health, watched) = watch::channel(1);
    let manner = Manner { health: Some(watched), ..Manner::default() };
    let ending = Peer::mannered(manner, |call: Call| async { call.answer("ending") }).await;
    let peers = [ending, good().await];
    let channel = Peer::channel_to(&peers);
    let answers = |wanted: &'static str| {
        let channel = channel.clone();
        timeout(PATIENCE, async move {
            loop {
                let answer = channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
                if answer.text == wanted {
                    return Instant::now();
                }
            }
        })
    };
    answers("ending").await.unwrap();
    health.send(2).unwrap();
    // The news is on its way for a moment; then there are a hundred calls in a row without one for it.
    timeout(PATIENCE, async {
        let mut in_a_row = 0;
        while in_a_row < 100 {
            let answer = channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
            in_a_row = if answer.text == "good" { in_a_row + 1 } else { 0 };
        }
    })
    .await
    .unwrap();
    let before = peers[0].calls();
    for _ in 0..200 {
        channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
    }
    assert_eq!(peers[0].calls(), before);
    health.send(1).unwrap();
    answers("ending").await.unwrap();
}

/// C28: a service that hangs takes nothing from the calls to another.
#[tokio::test]
async fn a_service_that_hangs_does_not_hold_up_another() {
    let hanging = Peer::start(|call: Call| async {
        let _kept = call;
        pending().await
    })
    .await;
    let (x, y) = (hanging.channel(), good().await);
    let options = CallOptions::new();
    let held = join_all((0..500).map(|_| x.unary(&READ, note("?"), &options)));
    let others = async {
        while hanging.calls() < 100 {
            tokio::task::yield_now().await;
        }
        let y = y.channel();
        for _ in 0..100 {
            y.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
        }
    };
    tokio::select! {
        done = timeout(PATIENCE, others) => done.unwrap(),
        _ = held => unreachable!("these hang"),
    }
}
