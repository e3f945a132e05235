//! What is sent again, when, how often, and what it says of itself.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Code, Error};
use freehold_wire::{Context, metadata};
use http::HeaderMap;
use prost::Message;
use tokio::sync::Notify;
use tonic::Status;

use crate::peer::{Call, ONCE, Peer, READ, WRITE, frame, note};

/// A context as a callee gets it that is asked a second time.
fn of_a_retry() -> Context {
    let mut headers = HeaderMap::new();
    headers.insert(metadata::PREVIOUS_ATTEMPTS, "1".parse().unwrap());
    Context::of_call(WRITE.rules(), &headers, Instant::now()).unwrap()
}

async fn failing() -> Peer {
    Peer::start(|call: Call| async { call.fail() }).await
}

/// C10: another replica, the same key, and the number of attempts before.
#[tokio::test]
async fn a_retry_goes_to_another_replica_and_says_that_it_is_one() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut peers = Vec::new();
    for replica in 0..3 {
        let seen = seen.clone();
        peers.push(
            Peer::start(move |call: Call| {
                let (key, before) =
                    (call.header(metadata::IDEMPOTENCY_KEY), call.header(metadata::PREVIOUS_ATTEMPTS));
                let mut seen = seen.lock().unwrap();
                seen.push((replica, key, before));
                let last = seen.len() == 3;
                async move { if last { call.answer("done") } else { call.fail() } }
            })
            .await,
        );
    }
    let channel = Peer::channel_to(&peers);
    assert_eq!(channel.unary(&WRITE, note("?"), &CallOptions::new()).await.unwrap().text, "done");
    let seen = seen.lock().unwrap();
    let before: Vec<_> = seen.iter().map(|(_, _, before)| before.as_deref()).collect();
    assert_eq!(before, [None, Some("1"), Some("2")]);
    assert!(seen.iter().all(|(_, key, _)| key.is_some() && *key == seen[0].1), "{seen:?}");
    let mut replicas: Vec<_> = seen.iter().map(|(replica, ..)| *replica).collect();
    replicas.sort_unstable();
    assert_eq!(replicas, [0, 1, 2]);
}

/// C10: what has begun to answer is not asked again.
#[tokio::test]
async fn a_stream_that_broke_after_its_first_message_is_not_opened_again() {
    let has_read = Arc::new(Notify::new());
    let told = has_read.clone();
    let peer = Peer::start(move |mut call: Call| {
        let told = told.clone();
        async move {
            let mut stream = call.open();
            stream.send_data(frame(&note("first").encode_to_vec()), false).unwrap();
            told.notified().await;
            stream.send_reset(h2::Reason::INTERNAL_ERROR);
        }
    })
    .await;
    let channel = peer.channel();
    let mut messages = channel.server_streaming(&READ, note("?"), &CallOptions::new()).await.unwrap();
    messages.next().await.unwrap().unwrap();
    has_read.notify_one();
    let last = messages.next().await.unwrap();
    assert!(last.unwrap_err().is_unavailable());
    assert_eq!(peer.calls(), 1);
}

/// C9: a callee that forbids it, or says rubbish, is not asked again; one that names a time is, and not before it.
#[tokio::test]
async fn a_callee_says_when_to_come_back() {
    for (said, calls) in [("-1", 1), ("soon", 1), ("40", 2)] {
        let peer = Peer::start(move |call: Call| async move {
            match call.earlier {
                0 => call.refuse(&[("grpc-status", "14"), (metadata::PUSHBACK, said)]),
                _ => call.answer("again"),
            }
        })
        .await;
        let begun = Instant::now();
        let answer = peer.channel().unary(&READ, note("?"), &CallOptions::new()).await;
        assert_eq!((peer.calls(), answer.is_ok()), (calls, calls == 2), "{said}");
        assert!(calls == 1 || begun.elapsed() >= Duration::from_millis(40), "too early");
        if let Err(error) = answer {
            let explanation = error.explanation().unwrap();
            assert_eq!(explanation.decided_by(), "the callee: it asks for no retry");
        }
    }
}

/// C8: everything fails: a fifth more at most, and ten a second. tonic alone has no budget to go over.
#[tokio::test]
async fn a_callee_that_always_fails_is_not_asked_much_more_often() {
    const CALLS: usize = 400;
    let peer = failing().await;
    let (channel, begun) = (peer.channel(), Instant::now());
    let mut decided = std::collections::BTreeMap::new();
    for _ in 0..CALLS {
        let error = channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err();
        *decided.entry(error.explanation().unwrap().decided_by()).or_insert(0) += 1;
    }
    let most = CALLS as f64 * 1.2 + 10.0 * (begun.elapsed().as_secs_f64() + 1.0);
    assert!(peer.calls() as f64 <= most, "{} attempts of {CALLS} calls: {decided:?}", peer.calls());
    assert!(peer.calls() > CALLS && decided.contains_key("the retry budget"), "{decided:?}");
}

/// C8: what is made for a retry says so, and is not retried itself.
#[tokio::test]
async fn below_a_retry_nothing_is_retried() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let peer = Peer::start(move |call: Call| {
        let said = [metadata::RETRIED, metadata::PREVIOUS_ATTEMPTS].map(|name| call.header(name).is_some());
        keep.lock().unwrap().push(said);
        async { call.fail() }
    })
    .await;
    let options = CallOptions::new().within(&of_a_retry());
    let error = peer.channel().unary(&READ, note("?"), &options).await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), [[true, false]]);
    assert!(error.explanation().unwrap().decided_by().contains("made for a retry"), "{error}");
}

/// C8: a callee whose own callee failed has retried that itself; it forbids its caller to do it once more.
#[tokio::test]
async fn what_was_retried_further_down_is_not_retried_again() {
    let leaf = failing().await;
    let down = leaf.channel();
    let middle = Peer::start(move |call: Call| {
        let down = down.clone();
        async move {
            let failed: Status = down.unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err().into();
            let headers = failed.into_http::<()>().into_parts().0.headers;
            let said = headers.get(metadata::PUSHBACK).map(|value| value.to_str().unwrap().to_owned());
            call.refuse(&[("grpc-status", "14"), (metadata::PUSHBACK, said.as_deref().unwrap_or("0"))]);
        }
    })
    .await;
    middle.channel().unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err();
    assert_eq!(middle.calls(), 1);
    assert_eq!(leaf.calls(), 3);
}

/// C14: a refusal that is an answer is not asked for twice, whatever the method is declared.
#[tokio::test]
async fn an_answer_is_final() {
    for code in ["3", "5", "9", "10", "13"] {
        let peer = Peer::start(move |call: Call| async move { call.refuse(&[("grpc-status", code)]) }).await;
        let error = peer.channel().unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err();
        assert_eq!(peer.calls(), 1, "{code}");
        assert!(error.explanation().is_none(), "it explains itself");
    }
}

/// An error says who decided and what was tried, in its text and in what it becomes further up, in few bytes.
#[tokio::test]
async fn an_error_explains_itself() {
    let peer = failing().await;
    let error: Error = peer.channel().unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "broken"));
    let explanation = error.explanation().unwrap();
    assert_eq!(explanation.attempts().len(), 3);
    assert!(explanation.attempts().iter().all(|attempt| attempt.replica() == peer.address()));
    let text = error.to_string();
    assert!(
        text.contains("decided by the retry policy: enough attempts; UNAVAILABLE at 127.0.0.1:"),
        "{text}"
    );
    assert!(text.len() <= 4_096);
    let once = failing().await.channel().unary(&ONCE, note("?"), &CallOptions::new()).await.unwrap_err();
    assert!(once.explanation().unwrap().decided_by().contains("not declared idempotent"), "{once}");
}
