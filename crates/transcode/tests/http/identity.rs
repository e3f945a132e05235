//! Who asks, until when, under which key, having seen what: all of it reaches the owner as it was sent.

use std::convert::Infallible;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use freehold_wire::pb::Token;
use freehold_wire::{Session, deadline, metadata};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::timeout;

use crate::client::{PATIENCE, send};
use crate::world::World;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn session(mark: i64) -> String {
    let token = Token::default().with_owner("library").with_epoch(1).with_mark(mark);
    STANDARD_NO_PAD.encode(Session::of([token]).encode().unwrap())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// Invariant 12: a gateway forwards its caller's identity, and access is decided for that caller.
#[tokio::test]
async fn access_is_decided_for_the_caller_at_the_owner() {
    let world = World::plain().await;
    let close = "/v1/shelves/s1:close";
    for (caller, status, said) in [
        (Some("reader"), 200, ""),
        (Some("gateway"), 403, "no contract declares a consumer `gateway`"),
        (Some("stranger"), 403, "no contract declares a consumer `stranger`"),
        (None, 403, "name yourself in `freehold-caller`"),
        (Some("No Name"), 400, "freehold-caller"),
    ] {
        let headers: Vec<_> = caller.map(|caller| (metadata::CALLER, caller)).into_iter().collect();
        let answer = world.ask_with("POST", close, &headers, "").await;
        assert_eq!(answer.status, status, "{caller:?}: {answer:?}");
        assert!(String::from_utf8_lossy(&answer.body).contains(said), "{caller:?}: {answer:?}");
    }
    let heard = world.call().headers;
    assert_eq!(text(&heard, metadata::CALLER), Some("reader"));
}

#[tokio::test]
async fn what_a_caller_sends_along_reaches_the_owner() {
    let world = World::plain().await;
    let session = session(7);
    let headers = [
        (metadata::CALLER, "reader"),
        (metadata::IDEMPOTENCY_KEY, "key-1"),
        (metadata::TRACEPARENT, TRACE),
        (metadata::REQUEST_ID, "request-1"),
        (metadata::TOKEN, session.as_str()),
        (metadata::TIMEOUT, "70S"),
        ("authorization", "Bearer secret"),
    ];
    let answer = world.ask_with("POST", "/v1/shelves/s1:close", &headers, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let heard = world.call().headers;
    for name in [metadata::CALLER, metadata::IDEMPOTENCY_KEY, metadata::REQUEST_ID, metadata::TOKEN] {
        let sent = headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        assert_eq!(text(&heard, name), sent, "{name}");
    }
    assert!(text(&heard, metadata::TRACEPARENT).unwrap().contains("4bf92f3577b34da6a3ce929d0e0e4736"));
    let left = deadline::parse(text(&heard, metadata::TIMEOUT).unwrap()).unwrap();
    assert!(left <= Duration::from_secs(70) && left > Duration::ZERO, "{left:?}");
    assert_eq!(heard.get("authorization"), None, "what is not of the mesh stays outside");
    assert_eq!(text(&answer.headers, metadata::REQUEST_ID), Some("request-1"));
}

#[tokio::test]
async fn an_answer_brings_back_what_the_owner_has_committed() {
    let world = World::plain().await;
    world.library.metadata.lock().unwrap().insert(metadata::TOKEN, session(9).parse().unwrap());
    let seen = session(4);
    let answer = world.ask_with("GET", "/v1/shelves/s1", &[(metadata::TOKEN, &seen)], "").await;
    assert_eq!(text(&answer.headers, metadata::TOKEN), Some(session(9).as_str()));
    let none = World::plain().await.ask("GET", "/v1/shelves/s1", "").await;
    assert_eq!(text(&none.headers, metadata::TOKEN), None);
}

/// A write that was sent twice took effect once, and whoever sent it hears that.
#[tokio::test]
async fn an_answer_says_that_it_is_of_an_earlier_call() {
    let world = World::plain().await;
    for replayed in [None, Some("true")] {
        if let Some(said) = replayed {
            world.library.metadata.lock().unwrap().insert(metadata::REPLAYED, said.parse().unwrap());
        }
        let headers = [(metadata::CALLER, "reader"), (metadata::IDEMPOTENCY_KEY, "key-1")];
        let answer = world.ask_with("POST", "/v1/shelves/s1:close", &headers, "").await;
        assert_eq!((answer.status.as_u16(), text(&answer.headers, metadata::REPLAYED)), (200, replayed));
    }
}

#[tokio::test]
async fn metadata_that_is_wrong_is_400_by_its_name() {
    let world = World::plain().await;
    for (name, value) in [
        (metadata::CALLER, "Or ders"),
        (metadata::TOKEN, "!!!"),
        (metadata::IDEMPOTENCY_KEY, "a b"),
        (metadata::TIMEOUT, "soon"),
    ] {
        let answer = world.ask_with("GET", "/v1/shelves/s1", &[(name, value)], "").await;
        assert_eq!((answer.status.as_u16(), answer.refusal().1), (400, vec![name.to_owned()]), "{value}");
    }
}

/// A body that has begun and does not go on is waited for as long as its caller said.
#[tokio::test]
async fn a_body_has_no_longer_than_its_callers_deadline() {
    let world = World::plain().await;
    let request = Request::post("/v1/shelves/s1:close")
        .header(metadata::CALLER, "reader")
        .header(metadata::TIMEOUT, "50m")
        .header("content-type", "application/json");
    let begun = stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from("{"))) });
    let body = StreamBody::new(begun.chain(stream::pending()).boxed());
    let answer = timeout(PATIENCE, send(world.at, request.body(body).unwrap())).await.expect("no answer");
    assert_eq!(answer.status(), 504);
    assert!(world.library.calls.lock().unwrap().is_empty());
}

/// The owner never answers; the caller's deadline ends the call all the same.
#[tokio::test]
async fn a_call_ends_at_its_callers_deadline() {
    let world = World::answering(|_| stream::pending().boxed()).await;
    loop {
        let answer = world.ask_with("GET", "/v1/shelves/s1", &[(metadata::TIMEOUT, "50m")], "").await;
        let refused = (answer.status.as_u16(), answer.refusal().0);
        // On a machine that stands still the owner may not even be asked in time.
        if refused != (504, "DEADLINE_SPENT".to_owned()) {
            assert_eq!(refused, (504, "DEADLINE_EXCEEDED".to_owned()));
            break;
        }
    }
}
