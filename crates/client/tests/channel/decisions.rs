//! Every decision that a policy can come to: provoked on real sockets, told by the error, counted under its word.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Decision, Error, Requests};
use freehold_wire::{Context, Method, Rules, metadata};
use futures_util::stream;
use http::HeaderMap;
use prost::Message;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tonic::Status;
use tonic_types::StatusExt;

use crate::metrics::{Consumer, GET};
use crate::peer::{Call, LONG, Note, ONCE, PATIENCE, Peer, READ, WRITE, frame, note};
use crate::raw;

/// A read of which the peer takes the first message.
const UPLOAD: Method<Note, Note> = Method::new(Rules { path: "/peer.v1.Peer/Upload", ..*READ.rules() });
/// The most calls that wait for one service.
const MOST_CALLS: usize = 4096;

/// A callee that does what it is asked for.
async fn obliging() -> Peer {
    Peer::start(|mut call: Call| async move {
        if call.path == UPLOAD.rules().path {
            call.body.as_mut().unwrap().data().await.unwrap().unwrap();
            return call.fail();
        }
        match call.asked().await.as_str() {
            "never" => _ = call.given_up().await,
            "forbid" => call.refuse(&[("grpc-status", "14"), (metadata::PUSHBACK, "-1")]),
            "in an hour" => call.refuse(&[("grpc-status", "14"), (metadata::PUSHBACK, "3600000")]),
            "no" => call.refuse(&[("grpc-status", "5")]),
            "rubbish" => call.open().send_data(frame(&[255]), true).unwrap(),
            "begin" => {
                let mut stream = call.open();
                stream.send_data(frame(&note("one").encode_to_vec()), false).unwrap();
                _ = poll_fn(|context| stream.poll_reset(context)).await;
            }
            "break" => {
                let mut stream = call.open();
                stream.send_data(frame(&note("one").encode_to_vec()), true).unwrap();
            }
            _ => call.fail(),
        }
    })
    .await
}

fn plain() -> CallOptions {
    CallOptions::new()
}

fn brief() -> CallOptions {
    plain().with_deadline(Duration::from_millis(50))
}

fn of_a_retry() -> CallOptions {
    let mut headers = HeaderMap::new();
    headers.insert(metadata::PREVIOUS_ATTEMPTS, "1".parse().unwrap());
    plain().within(&Context::of_call(WRITE.rules(), &headers, Instant::now()).unwrap())
}

/// A consumer that is named after the decision, and its way to an obliging peer.
async fn consumer(decision: Decision) -> Consumer {
    Consumer::of(&format!("decides-{}", decision.name()), &obliging().await)
}

async fn read(consumer: &Consumer, said: &str, options: &CallOptions) -> Error {
    consumer.channel.unary(&READ, note(said), options).await.unwrap_err()
}

/// One call ended so: the error says it, in what it becomes further up too, and it was counted once.
async fn decides(decision: Decision, call: impl AsyncFn(&Consumer) -> Error) {
    decides_over(&consumer(decision).await, decision, call).await;
}

async fn decides_over(consumer: &Consumer, decision: Decision, call: impl AsyncFn(&Consumer) -> Error) {
    let made = async {
        loop {
            let error = call(consumer).await;
            if !stood_still(&error, decision) {
                return error;
            }
        }
    };
    let error = timeout(PATIENCE, made).await.unwrap();
    is_told(&error, decision);
    assert_eq!(counted(consumer, decision), 1.0, "{decision}");
}

/// Whether time was up before the call came as far as it was to come, as it is on a machine that stands still. Then it is
/// made again.
fn stood_still(error: &Error, wanted: Decision) -> bool {
    const EARLIER: [Decision; 3] =
        [Decision::DeadlineSpent, Decision::DeadlineConnecting, Decision::DeadlineAsking];
    error
        .explanation()
        .map(|why| why.decision())
        .is_some_and(|said| said != wanted && EARLIER.contains(&said))
}

fn is_told(error: &Error, decision: Decision) {
    let said = error.explanation().map_or(Decision::Callee, |why| why.decision());
    assert_eq!(said, decision, "{error}");
    if error.explanation().is_some() {
        let details = Status::from(error.clone()).get_details_error_info();
        let figure = details.and_then(|info| info.metadata.get("decision").cloned());
        // A callee that is none of ours gives no reason, and then has no details for it to stand in.
        assert!(error.reason().is_empty() || figure.as_deref() == Some(decision.name()), "{figure:?}");
    }
}

/// How often any method's call was decided so.
fn counted(consumer: &Consumer, decision: Decision) -> f64 {
    let methods = [READ, WRITE, ONCE, LONG, UPLOAD, GET].map(|method| method.rules().name());
    let labels = |method| [("rpc_method", method), ("decision", decision.name())];
    methods.map(|method| consumer.count("freehold_client_failures_total", &labels(method))).iter().sum()
}

/// The list that each of the tests below takes its own from; planted bug: one that none of them has.
#[test]
fn every_decision_has_a_test() {
    let text = include_str!("decisions.rs");
    for decision in Decision::ALL {
        let tested = format!("Decision::{decision:?}");
        // Two attempts are parted by a wait that fits into the time left, so that time is never up in it but by a hair:
        // what is counted of that is tested beside it.
        let elsewhere = decision == Decision::DeadlinePausing;
        assert!(elsewhere || text.matches(&tested).count() > 0, "{tested}");
    }
}

#[tokio::test]
async fn the_callee_decides() {
    decides(Decision::Callee, async |consumer| read(consumer, "no", &plain()).await).await;
    decides(Decision::Pushback, async |consumer| read(consumer, "forbid", &plain()).await).await;
}

#[tokio::test]
async fn the_contract_and_the_retry_policy_decide() {
    decides(Decision::Undeclared, async |consumer| {
        consumer.channel.unary(&ONCE, note("fail"), &plain()).await.unwrap_err()
    })
    .await;
    decides(Decision::Nested, async |consumer| read(consumer, "fail", &of_a_retry()).await).await;
    decides(Decision::Attempts, async |consumer| read(consumer, "fail", &plain()).await).await;
    decides(Decision::Sent, async |consumer| {
        let requests = Requests::new(stream::iter([note("a part")]));
        consumer.channel.client_streaming(&UPLOAD, requests, &plain()).await.unwrap_err()
    })
    .await;
}

#[tokio::test]
async fn the_budget_decides_when_it_is_spent() {
    decides(Decision::Budget, async |consumer| {
        loop {
            let error = read(consumer, "fail", &plain()).await;
            if error.explanation().is_some_and(|why| why.decision() == Decision::Budget) {
                return error;
            }
        }
    })
    .await;
}

/// A callee that dies, and comes back nowhere.
#[tokio::test]
async fn no_replica_has_a_place_for_another_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let consumer = Consumer::new("decides-no_replica", &url);
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        raw::greet(&mut socket).await;
        raw::until_called(&mut socket).await;
    });
    let error = timeout(PATIENCE, read(&consumer, "?", &plain())).await.unwrap();
    is_told(&error, Decision::NoReplica);
    assert_eq!(counted(&consumer, Decision::NoReplica), 1.0);
}

#[tokio::test]
async fn the_bulkhead_decides_for_each_call_that_is_too_many() {
    const TOO_MANY: usize = 4;
    let consumer = consumer(Decision::Bulkhead).await;
    let options = plain();
    let calls = (0..MOST_CALLS + TOO_MANY).map(|_| consumer.channel.unary(&READ, note("never"), &options));
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    let refused = poll_fn(|context| {
        let ended = calls.iter_mut().filter_map(|call| match call.as_mut().poll(context) {
            Poll::Ready(outcome) => Some(outcome.unwrap_err()),
            Poll::Pending => None,
        });
        Poll::Ready(ended.collect::<Vec<_>>())
    })
    .await;
    refused.iter().for_each(|error| is_told(error, Decision::Bulkhead));
    assert_eq!((refused.len(), counted(&consumer, Decision::Bulkhead)), (TOO_MANY, TOO_MANY as f64));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_or_a_reply_decides() {
    decides(Decision::Request, async |consumer| {
        consumer.channel.unary(&WRITE, note("?"), &plain().with_key("é")).await.unwrap_err()
    })
    .await;
    decides(Decision::Reply, async |consumer| read(consumer, "rubbish", &plain()).await).await;
}

/// The second item of a stream that has begun.
async fn second(consumer: &Consumer, said: &str, options: &CallOptions) -> Error {
    let mut messages = match consumer.channel.server_streaming(&READ, note(said), options).await {
        Ok(messages) => messages,
        Err(error) => return error,
    };
    messages.next().await.unwrap().unwrap();
    messages.next().await.unwrap().unwrap_err()
}

#[tokio::test]
async fn a_stream_that_breaks_or_grows_old_decides() {
    decides(Decision::Stream, async |consumer| second(consumer, "break", &plain()).await).await;
    let old = plain().with_deadline(Duration::from_secs(1));
    decides(Decision::DeadlineStream, async |consumer| second(consumer, "begin", &old).await).await;
}

#[tokio::test]
async fn the_deadline_decides_wherever_a_call_is() {
    decides(Decision::DeadlineSpent, async |consumer| {
        consumer.channel.unary(&LONG, note("?"), &brief()).await.unwrap_err()
    })
    .await;
    decides(Decision::DeadlineRetry, async |consumer| read(consumer, "in an hour", &plain()).await).await;
    let second = plain().with_deadline(Duration::from_secs(1));
    decides(Decision::DeadlineAsking, async |consumer| read(consumer, "never", &second).await).await;
    decides(Decision::DeadlineJoined, async |consumer| {
        let (long, short) = (plain(), brief());
        let leader = consumer.channel.unary(&GET, note("never"), &long);
        let follower = consumer.channel.unary(&GET, note("never"), &short);
        tokio::select! {
            biased;
            led = leader => panic!("{led:?}"),
            followed = follower => followed.unwrap_err(),
        }
    })
    .await;
}

#[tokio::test]
async fn the_deadline_decides_while_nothing_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let consumer = Consumer::new("decides-deadline_connecting", &url);
    decides_over(&consumer, Decision::DeadlineConnecting, async |consumer| {
        read(consumer, "?", &brief()).await
    })
    .await;
}
