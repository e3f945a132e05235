//! What a channel counts: every number is asserted after calls whose ends are known. Each test is a consumer of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use freehold_client::{CallOptions, Channel, Error, Mesh};
use freehold_metrics::Scraped;
use freehold_wire::{Cache, Method, Rules};
use futures_util::future::join_all;
use prost::Message;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::peer::{Call, Manner, Note, PATIENCE, Peer, READ, frame, note, trailers};

const PEER: (&str, &str) = ("server_address", "peer");

/// A read whose answers are kept.
pub(crate) const GET: Method<Note, Note> = Method::new(Rules {
    path: "/peer.v1.Peer/Get",
    cache: Some(Cache { ttl: Duration::from_secs(3600), entity: "", owner: "peer", key: None }),
    ..*READ.rules()
});

/// A consumer of its own, and its way to a peer that the mesh calls "peer".
pub(crate) struct Consumer {
    pub(crate) channel: Channel,
}

impl Consumer {
    pub(crate) fn new(name: &str, urls: &str) -> Self {
        Self { channel: Mesh::fixed(name, [("peer", urls)]).channel("peer").unwrap() }
    }

    pub(crate) fn of(name: &str, peer: &Peer) -> Self {
        Self::new(name, &format!("http://{}", peer.address()))
    }

    fn scraped(&self) -> Scraped {
        Scraped::read(&self.channel.scrape()).unwrap()
    }

    /// How often something was counted; never is as good as zero times.
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.scraped().value(name, &[labels, &[PEER]].concat()).unwrap_or_default()
    }

    fn of_method(&self, name: &str, method: &Method<Note, Note>, label: &str, value: &str) -> f64 {
        self.count(name, &[("rpc_method", method.rules().name()), (label, value)])
    }

    /// Calls of READ that ended so, by OpenTelemetry's name for them.
    fn calls(&self, code: &str) -> f64 {
        let labels = [
            ("rpc_system_name", "grpc"),
            ("rpc_method", READ.rules().name()),
            ("rpc_status_code", code),
            ("error_type", code),
        ];
        let labels = if code == "OK" { &labels[..3] } else { &labels };
        self.count("rpc_client_call_duration_seconds_count", labels)
    }

    fn attempts(&self, outcome: &str) -> f64 {
        self.of_method("freehold_client_attempt_duration_seconds_count", &READ, "outcome", outcome)
    }
}

async fn ask(consumer: &Consumer, method: &Method<Note, Note>) -> Result<Note, Error> {
    timeout(PATIENCE, consumer.channel.unary(method, note("?"), &CallOptions::new())).await.unwrap()
}

/// A peer that fails so often, and then answers.
async fn failing(times: usize) -> Peer {
    Peer::start(move |call: Call| async move {
        if call.earlier < times { call.fail() } else { call.answer("well") }
    })
    .await
}

/// Planted bug: attempts counted where a call ends, so that a retry is none.
#[tokio::test]
async fn calls_attempts_and_retries_are_counted_each_once() {
    let peer = failing(2).await;
    let consumer = Consumer::of("counts-retries", &peer);
    for _ in 0..5 {
        ask(&consumer, &READ).await.unwrap();
    }
    assert_eq!((consumer.calls("OK"), consumer.calls("UNAVAILABLE")), (5.0, 0.0));
    assert_eq!((consumer.attempts("OK"), consumer.attempts("UNAVAILABLE")), (5.0, 2.0));
    let retries = |after| consumer.of_method("freehold_client_retries_total", &READ, "after", after);
    assert_eq!((retries("failed"), retries("unseen")), (2.0, 0.0));
    assert_eq!(consumer.count("freehold_client_connections", &[]), 1.0);
    let dials = |outcome| consumer.count("freehold_client_dials_total", &[("outcome", outcome)]);
    assert_eq!((dials("connected"), dials("failed")), (1.0, 0.0));
}

#[tokio::test]
async fn what_the_callee_has_not_seen_is_counted_apart() {
    let peer = Peer::start(|mut call: Call| async move {
        match call.earlier {
            0 => call.respond.send_reset(h2::Reason::REFUSED_STREAM),
            _ => call.answer("taken"),
        }
    });
    let consumer = Consumer::of("counts-unseen", &peer.await);
    ask(&consumer, &READ).await.unwrap();
    assert_eq!((consumer.attempts("NOT_TAKEN"), consumer.attempts("OK")), (1.0, 1.0));
    let unseen = consumer.of_method("freehold_client_retries_total", &READ, "after", "unseen");
    assert_eq!(unseen, 1.0);
}

/// Planted bug: a record that says nothing when it is dropped.
#[tokio::test]
async fn a_call_that_is_dropped_counts_as_cancelled() {
    let arrived = Arc::new(Notify::new());
    let told = arrived.clone();
    let peer = Peer::start(move |call: Call| {
        told.notify_one();
        async { _ = call.given_up().await }
    });
    let consumer = Consumer::of("counts-dropped", &peer.await);
    tokio::select! {
        outcome = ask(&consumer, &READ) => panic!("{outcome:?}"),
        () = arrived.notified() => {}
    }
    assert_eq!((consumer.calls("CANCELLED"), consumer.attempts("ABANDONED")), (1.0, 1.0));
}

/// A stream is one call, which ends when it does.
#[tokio::test]
async fn a_stream_counts_when_it_ends() {
    let peer = Peer::start(|mut call: Call| async move {
        let mut stream = call.open();
        stream.send_data(frame(&note("one").encode_to_vec()), false).unwrap();
        stream.send_trailers(trailers(&[("grpc-status", "0")])).unwrap();
    });
    let consumer = Consumer::of("counts-streams", &peer.await);
    let options = CallOptions::new();
    let mut messages = consumer.channel.server_streaming(&READ, note("?"), &options).await.unwrap();
    messages.next().await.unwrap().unwrap();
    assert_eq!((consumer.calls("OK"), consumer.attempts("OK")), (0.0, 1.0));
    assert!(messages.next().await.is_none());
    assert_eq!(consumer.calls("OK"), 1.0);
}

#[tokio::test]
async fn what_is_kept_is_counted_by_how_it_was_found() {
    let peer = failing(0).await;
    let consumer = Consumer::of("counts-kept", &peer);
    for _ in 0..10 {
        ask(&consumer, &GET).await.unwrap();
    }
    let found = |result| consumer.of_method("freehold_client_cache_lookups_total", &GET, "result", result);
    assert_eq!((found("miss"), found("hit"), found("join")), (1.0, 9.0, 0.0));
    let attempts =
        consumer.of_method("freehold_client_attempt_duration_seconds_count", &GET, "outcome", "OK");
    assert_eq!(attempts, 1.0, "what was kept is no call");
}

/// C16: a replica that fails is out: once, and until a probe of it is served.
#[tokio::test]
async fn an_ejection_is_counted_while_it_lasts() {
    let well = Arc::new(AtomicBool::new(false));
    let is_well = well.clone();
    let sick = Peer::start(move |call: Call| {
        let well = is_well.load(Ordering::SeqCst);
        async move { if well { call.answer("well") } else { call.fail() } }
    })
    .await;
    let good = failing(0).await;
    let consumer =
        Consumer::new("counts-ejected", &format!("http://{},http://{}", sick.address(), good.address()));
    let ejected = || {
        let count = |name| consumer.count(name, &[]);
        (count("freehold_client_ejected_replicas"), count("freehold_client_ejections_total"))
    };
    // Many at once, or none would go where others have failed.
    let until = async |wanted: (f64, f64)| {
        while ejected() != wanted {
            let outcomes = join_all((0..64).map(|_| ask(&consumer, &READ))).await;
            assert!(outcomes.iter().any(Result::is_ok));
        }
    };
    timeout(PATIENCE, until((1.0, 1.0))).await.expect("it is never out");
    well.store(true, Ordering::SeqCst);
    timeout(PATIENCE, until((0.0, 1.0))).await.expect("it is never in again");
}

/// With the channel go its connections, on the other end too.
#[tokio::test]
async fn a_connection_counts_for_as_long_as_it_is_there() {
    let manner = Manner { age: Some(1), ..Manner::default() };
    let peer = Peer::mannered(manner, |call: Call| async { call.answer("one") }).await;
    let consumer = Consumer::of("counts-connections", &peer);
    for _ in 0..3 {
        ask(&consumer, &READ).await.unwrap();
    }
    let connected = consumer.count("freehold_client_dials_total", &[("outcome", "connected")]);
    let there = consumer.count("freehold_client_connections", &[]);
    assert!(connected >= 3.0 && there <= 1.0, "{connected} made, {there} there");
}
