//! The channel through networks that fail: seeded fault proxies before its callees.
//!
//! What decides is which error a call ended with and how often callees were asked, never how long something took.

use std::time::{Duration, Instant};

use fastrand::Rng;
use freehold_client::{CallOptions, Channel, Code, Error};
use freehold_testkit::fault_proxy::{End, Lane};
use freehold_testkit::{FaultProxy, Faults, eventually, rounds};
use freehold_wire::{Context, metadata};
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Status;

use crate::peer::{Call, Note, PATIENCE, Peer, READ, WRITE, note};

const SHORT: Duration = Duration::from_millis(150);
const NEVER: Duration = Duration::from_secs(3600);

async fn good() -> Peer {
    Peer::start(|call: Call| async { call.answer("good") }).await
}

async fn ask(channel: &Channel, deadline: Duration) -> Result<Note, Error> {
    let options = CallOptions::new().with_deadline(deadline);
    timeout(PATIENCE, channel.unary(&READ, note("?"), &options)).await.expect("a call outlives its deadline")
}

/// Everything that keeps a peer silent without ending a connection.
fn silences() -> [Faults; 5] {
    let answers = |lane: Lane| Faults { answers: lane, ..Faults::NONE };
    [
        Faults::black_hole(),
        Faults::delay(NEVER),
        answers(Lane { loss: 1.0, stall: NEVER, ..Lane::CLEAR }),
        answers(Lane { bytes_per_second: Some(1), ..Lane::CLEAR }),
        Faults { half_open: 1.0, ..Faults::NONE },
    ]
}

/// C1 to C3: a network that falls silent, before there is a connection and on one that was good, gives DEADLINE_EXCEEDED
/// and nothing else; once it is well, calls are answered.
#[tokio::test]
async fn silence_is_a_deadline_whenever_it_falls() {
    let peer = good().await;
    for (number, silent) in silences().into_iter().enumerate() {
        for connected in [true, false] {
            let proxy = FaultProxy::before(peer.address()).await;
            let channel = Channel::new("tester", &proxy.url()).unwrap();
            if connected {
                ask(&channel, PATIENCE).await.unwrap();
            }
            proxy.set(silent);
            if silent.half_open > 0.0 {
                proxy.end_all(End::Close);
            }
            for _ in 0..2 {
                let error = ask(&channel, SHORT).await.unwrap_err();
                // A call on its way when connections were closed says that.
                let closed = silent.half_open > 0.0 && error.reason() == "CONNECTION_LOST";
                assert!(error.is_deadline_exceeded() || closed, "{number}, {connected}: {error}");
            }
            proxy.set(Faults::NONE);
            proxy.end_all(End::Reset);
            assert_eq!(ask(&channel, PATIENCE).await.unwrap().text, "good", "{number}, {connected}");
        }
    }
}

/// Bad weather of any kind.
fn weather(random: &mut Rng) -> Faults {
    let lane = |random: &mut Rng| Lane {
        delay: Duration::from_millis(random.u64(0..30)),
        jitter: Duration::from_millis(random.u64(0..30)),
        loss: random.f64() / 4.0,
        stall: SHORT,
        bytes_per_second: random.bool().then(|| random.u64(200..100_000)),
        held: random.u8(0..6) == 0,
        cut: None,
    };
    let (requests, answers) = (lane(random), lane(random));
    let share = |random: &mut Rng| if random.bool() { 0.0 } else { random.f64() };
    let (reset, close, half_open) = (share(random), share(random), share(random));
    Faults { reset, reset_within: random.u64(0..2_000), close, half_open, requests, answers }
}

/// C1 to C3, C7, C19: weather after weather before each of three replicas: every call ends, with an answer or with one of
/// two errors that explains itself; and with the last weather gone, all are answered. `cargo xtask soak calls`
/// makes it many seeds.
#[tokio::test]
async fn in_any_weather_calls_end_and_afterwards_they_are_answered() {
    let peers = [good().await, good().await, good().await];
    for _ in 0..rounds(2) {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = Rng::with_seed(seed);
        let proxies = join_all(peers.iter().map(|peer| FaultProxy::seeded(peer.address(), seed))).await;
        let urls: Vec<String> = proxies.iter().map(FaultProxy::url).collect();
        let channel = Channel::new("tester", &urls.join(",")).unwrap();
        for _ in 0..5 {
            proxies.iter().for_each(|proxy| proxy.set(weather(&mut random)));
            for outcome in join_all((0..32).map(|_| ask(&channel, SHORT))).await {
                let Err(error) = outcome else { continue };
                let known = matches!(error.code(), Code::DeadlineExceeded | Code::Unavailable);
                assert!(known && error.explanation().is_some(), "{error}");
            }
            proxies.iter().for_each(|proxy| proxy.end_all(End::Reset));
        }
        for proxy in &proxies {
            proxy.set(Faults::NONE);
            proxy.end_all(End::Reset);
        }
        // What was sent on a connection that is being reset may be lost still.
        eventually("32 calls of which none fails", PATIENCE, async || {
            let outcomes = join_all((0..32).map(|_| ask(&channel, PATIENCE))).await;
            outcomes.iter().all(Result::is_ok).then_some(())
        })
        .await;
    }
}

/// C8: a tenth of all attempts fails, by the text and the number of the attempt, so that every run is the same: nearly
/// all calls are answered, for little more than a tenth of attempts more.
#[tokio::test]
async fn a_tenth_of_failures_costs_a_tenth_more_attempts() {
    const CALLS: usize = 4_000;
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(
            Peer::start(|mut call: Call| async move {
                let text: u64 = call.asked().await.parse().unwrap();
                let before: u64 = call.header(metadata::PREVIOUS_ATTEMPTS).map_or(0, |n| n.parse().unwrap());
                match Rng::with_seed(text * 4 + before).f64() < 0.1 {
                    true => call.fail(),
                    false => call.answer("good"),
                }
            })
            .await,
        );
    }
    let (channel, options) = (Peer::channel_to(&peers), CallOptions::new());
    let some = |first: usize| {
        let (channel, options) = (&channel, &options);
        async move {
            let mut answered = 0;
            for call in (first..CALLS).step_by(32) {
                answered +=
                    usize::from(channel.unary(&WRITE, note(&call.to_string()), options).await.is_ok());
            }
            answered
        }
    };
    let answered: usize = join_all((0..32).map(some)).await.into_iter().sum();
    let attempts: usize = peers.iter().map(Peer::calls).sum();
    assert!(answered as f64 >= CALLS as f64 * 0.998, "{answered} of {CALLS}");
    assert!(attempts as f64 <= CALLS as f64 * 1.12, "{attempts} attempts of {CALLS} calls");
}

/// C8: as soon as replicas no longer fail, no call does, ejected as they are.
#[tokio::test]
async fn after_a_failure_of_all_replicas_the_next_call_is_answered() {
    let (broken, watched) = watch::channel(true);
    let mut peers = Vec::new();
    for _ in 0..3 {
        let watched = watched.clone();
        peers.push(
            Peer::start(move |call: Call| {
                let broken = *watched.borrow();
                async move { if broken { call.fail() } else { call.answer("good") } }
            })
            .await,
        );
    }
    let channel = Peer::channel_to(&peers);
    for _ in 0..200 {
        ask(&channel, PATIENCE).await.unwrap_err();
    }
    broken.send(false).unwrap();
    for _ in 0..200 {
        ask(&channel, PATIENCE).await.unwrap();
    }
}

/// A tier that asks the next one for every call, within the call's own line of work.
async fn tier(next: Channel) -> Peer {
    Peer::start(move |call: Call| {
        let next = next.clone();
        async move {
            let context = Context::of_call(READ.rules(), &call.headers, Instant::now()).unwrap();
            let asked = next.unary(&READ, note("?"), &CallOptions::new().within(&context)).await;
            let failed: Status = asked.expect_err("the leaf always fails").into();
            let said = failed.metadata().get(metadata::PUSHBACK).map(|value| value.to_str().unwrap());
            match said {
                Some(said) => call.refuse(&[("grpc-status", "14"), (metadata::PUSHBACK, said)]),
                None => call.fail(),
            }
        }
    })
    .await
}

/// C8: three tiers above a leaf that always fails: the leaf is asked a fifth more often, not 1.2 times 1.2 times 1.2.
#[tokio::test]
async fn over_three_tiers_the_leaf_is_asked_a_fifth_more() {
    const CALLS: usize = 400;
    let leaf = Peer::start(|call: Call| async { call.fail() }).await;
    let lower = tier(leaf.channel()).await;
    let upper = tier(lower.channel()).await;
    let (channel, begun) = (upper.channel(), Instant::now());
    for _ in 0..CALLS {
        ask(&channel, PATIENCE).await.unwrap_err();
    }
    let most = CALLS as f64 * 1.2 + 10.0 * (begun.elapsed().as_secs_f64() + 1.0);
    assert!(leaf.calls() as f64 <= most, "{} at the leaf of {CALLS}", leaf.calls());
    assert_eq!((upper.calls(), lower.calls()), (CALLS, CALLS), "only the hop above the failure retries");
    assert!(leaf.calls() > CALLS, "it is retried there");
}
