//! What a call carries, and what it learns from its answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use freehold_client::{CallOptions, Code, Error};
use freehold_wire::pb::Token;
use freehold_wire::{Caller, Context, Session, metadata, reason};
use http::HeaderMap;
use prost::Message;
use tonic::Status;

use crate::peer::{Call, Peer, READ, WRITE, frame, note, trailers};

/// A callee that answers everything and keeps the headers.
async fn keeping() -> (Peer, Arc<Mutex<Vec<HeaderMap>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let peer = Peer::start(move |call: Call| {
        keep.lock().unwrap().push(call.headers.clone());
        async { call.answer("") }
    })
    .await;
    (peer, kept)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn token(owner: &str, mark: i64) -> Token {
    Token::default().with_owner(owner).with_epoch(1).with_mark(mark)
}

fn encoded(tokens: impl IntoIterator<Item = Token>) -> String {
    STANDARD_NO_PAD.encode(Session::of(tokens).encode().unwrap())
}

#[tokio::test]
async fn a_call_names_its_caller_and_continues_its_trace() {
    let (peer, kept) = keeping().await;
    let context = Context::new("tester", Duration::from_secs(9));
    peer.channel().unary(&READ, note("?"), &CallOptions::new().within(&context)).await.unwrap();
    let headers = kept.lock().unwrap().remove(0);
    assert_eq!(text(&headers, metadata::CALLER).as_deref(), Some("tester"));
    assert_eq!(text(&headers, metadata::REQUEST_ID).as_deref(), Some(context.request_id()));
    let sent = text(&headers, metadata::TRACEPARENT).unwrap();
    assert!(sent.contains(&context.trace().id()), "the same trace");
    assert_ne!(sent, context.trace().to_string(), "a span of its own");
}

/// Invariant 12: a gateway forwards its caller's identity, and lends nobody its own.
#[tokio::test]
async fn a_call_that_is_passed_on_bears_its_callers_name() {
    let (peer, kept) = keeping().await;
    let channel = peer.channel();
    for caller in [Caller::Named("orders".into()), Caller::Anonymous] {
        let forwarding = channel.forwarding(&caller);
        forwarding.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
        let headers = kept.lock().unwrap().remove(0);
        assert_eq!(text(&headers, metadata::CALLER).as_deref(), caller.name(), "{caller}");
    }
    channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
    let own = kept.lock().unwrap().remove(0);
    assert_eq!(text(&own, metadata::CALLER).as_deref(), Some("tester"), "the channel itself is as it was");
}

/// C12: a keyed write has a key of its own per logical call, unless it was given one; a read has none.
#[tokio::test]
async fn a_keyed_write_has_one_key_per_logical_call() {
    let (peer, kept) = keeping().await;
    let (channel, options) = (peer.channel(), CallOptions::new());
    for _ in 0..2 {
        channel.unary(&WRITE, note("?"), &options).await.unwrap();
    }
    channel.unary(&WRITE, note("?"), &options.with_key("order-1")).await.unwrap();
    channel.unary(&READ, note("?"), &options.with_key("order-1")).await.unwrap();
    let keys: Vec<_> =
        kept.lock().unwrap().iter().map(|headers| text(headers, metadata::IDEMPOTENCY_KEY)).collect();
    assert!(keys[0].is_some() && keys[1].is_some() && keys[0] != keys[1], "{keys:?}");
    assert_eq!(keys[2..], [Some("order-1".to_owned()), None]);
}

#[tokio::test]
async fn a_key_that_metadata_cannot_carry_is_refused_here() {
    let (peer, _) = keeping().await;
    let error =
        peer.channel().unary(&WRITE, note("?"), &CallOptions::new().with_key("é\n")).await.unwrap_err();
    assert_eq!(error.field_violations()[0].field, metadata::IDEMPOTENCY_KEY);
    assert_eq!(peer.calls(), 0);
}

/// R16: what a reply says has been seen is in the session of the next call, merged by maximum per owner.
#[tokio::test]
async fn a_session_learns_from_replies_and_from_refusals() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let keep = sent.clone();
    let peer = Peer::start(move |mut call: Call| {
        keep.lock().unwrap().push(text(&call.headers, metadata::TOKEN));
        async move {
            let token =
                encoded([[token("a", 5)], [token("b", 7)], [token("a", 3)]][call.earlier.min(2)].clone());
            match call.earlier {
                0 => {
                    let mut stream = call.open_with(&[(metadata::TOKEN, &token)]);
                    stream.send_data(frame(&note("").encode_to_vec()), false).unwrap();
                    stream.send_trailers(trailers(&[("grpc-status", "0")])).unwrap();
                }
                1 => call.refuse(&[("grpc-status", "10"), (metadata::TOKEN, &token)]),
                _ => call.refuse(&[("grpc-status", "5"), (metadata::TOKEN, &token)]),
            }
        }
    })
    .await;
    let (channel, options) = (peer.channel(), CallOptions::new());
    channel.unary(&WRITE, note("?"), &options).await.unwrap();
    for _ in 0..2 {
        channel.unary(&WRITE, note("?"), &options).await.unwrap_err();
    }
    assert_eq!(options.session().tokens(), [token("a", 5), token("b", 7)]);
    let sent = sent.lock().unwrap();
    assert_eq!(*sent, [None, Some(encoded([token("a", 5)])), Some(encoded([token("a", 5), token("b", 7)]))]);
}

/// C25: what a callee damages is not what its caller asked for.
#[tokio::test]
async fn a_damaged_token_does_not_cost_the_reply() {
    let peer = Peer::start(|mut call: Call| async move {
        let mut stream = call.open_with(&[(metadata::TOKEN, "AAAA")]);
        stream.send_data(frame(&note("fine").encode_to_vec()), false).unwrap();
        stream.send_trailers(trailers(&[("grpc-status", "0")])).unwrap();
    })
    .await;
    let options = CallOptions::new();
    assert_eq!(peer.channel().unary(&READ, note("?"), &options).await.unwrap().text, "fine");
    assert_eq!(options.session().tokens(), []);
}

/// What a service answers when its own call fails says what its callee said.
#[tokio::test]
async fn an_error_becomes_a_status_with_the_same_reason() {
    let said = Error::from(reason::bad_field("lines[0].quantity", "must be at least 1, is 0"));
    let status = Status::from(said.clone());
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, said.message()));
    let again = Error::from(status);
    assert_eq!(again.reason(), "INVALID_ARGUMENT");
    assert_eq!(again.field_violations()[0].field, "lines[0].quantity");
}
