//! C25 and R14, at every RPC: metadata that is damaged, doubled, foreign or far too much gets a clean typed answer, and
//! none of it gets into access decisions, request ids or traces.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Session;
use freehold_wire::metadata::{CALLER, IDEMPOTENCY_KEY, REQUEST_ID, TIMEOUT, TOKEN, TRACEPARENT};
use freehold_wire::pb::Token;
use tonic::Code;
use tonic::codegen::http::HeaderMap;
use tonic::metadata::{Binary, MetadataValue};

use super::Services;
use crate::contract::{Rpc, rpcs};
use crate::mesh::shared;
use crate::wire::{named, with};

#[tokio::test]
async fn garbage_in_a_reserved_key_is_refused_by_its_name() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let good = session(&[("users", 1)]);
    let long = "x".repeat(200);
    let garbage: [(&str, Vec<&[u8]>); 5] = [
        (CALLER, vec![b"", b"Demo", b"demo orders", b"d\xc3\xa9mo", b"demo,orders", long.as_bytes()]),
        (TOKEN, vec![b"!!!", b"AAAA", b"", b"\xff\xff", &good[..good.len() - 4], &good[4..]]),
        (IDEMPOTENCY_KEY, vec![b"", b"a b", b"cl\xc3\xa9", long.as_bytes()]),
        (TIMEOUT, vec![b"", b"abc", b"-1S", b"1", b"123456789S", b"1 S", b"1s", b"\xff"]),
        (TRACEPARENT, vec![b"\xff"]),
    ];
    for rpc in rpcs() {
        for (key, values) in &garbage {
            for value in values {
                let named = wrong_fields(services.with(&rpc, &replacing(&rpc, key, &[value]), []).await);
                assert_eq!(named, [*key], "{}: {}", rpc.full_name(), value.escape_ascii());
            }
        }
    }
}

/// A second value would leave open which of them counts, also where both are the same.
#[tokio::test]
async fn a_reserved_key_that_is_sent_twice_is_refused_by_its_name() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let good = session(&[("users", 1)]);
    let twice: [(&str, &[u8]); 6] = [
        (CALLER, b"demo"),
        (TOKEN, &good),
        (IDEMPOTENCY_KEY, b"key"),
        (TIMEOUT, b"1S"),
        (TRACEPARENT, b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        (REQUEST_ID, b"id"),
    ];
    for rpc in rpcs() {
        for (key, value) in twice {
            let named = wrong_fields(services.with(&rpc, &replacing(&rpc, key, &[value, value]), []).await);
            assert_eq!(named, [key], "{}", rpc.full_name());
        }
    }
}

#[tokio::test]
async fn a_deadline_that_is_spent_on_arrival_is_exceeded() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs() {
        for spent in [&b"0S"[..], b"0n", b"00000000H"] {
            let refused = refusal(services.with(&rpc, &replacing(&rpc, TIMEOUT, &[spent]), []).await);
            assert_eq!(refused, (Code::DeadlineExceeded, "DEADLINE_SPENT".to_owned()), "{}", rpc.full_name());
        }
    }
}

/// R14: no altered bit and no cut of a token is taken for a token.
#[tokio::test]
async fn a_tampered_or_cut_token_is_refused_by_its_name() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let sound = Session::of([token("catalog", 1), token("users", 2)]).encode().unwrap();
    let list =
        rpcs().into_iter().find(|rpc| rpc.full_name() == "orders.v1.OrdersService/ListOrders").unwrap();
    let altered = (0..sound.len() * 8).map(|bit| {
        let mut altered = sound.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        altered
    });
    let cut = (0..sound.len()).map(|length| sound[..length].to_vec());
    for damaged in altered.chain(cut) {
        let headers = replacing(&list, TOKEN, &[&encoded(&damaged)]);
        assert_eq!(wrong_fields(services.with(&list, &headers, []).await), [TOKEN], "{damaged:02x?}");
    }
}

/// A session of more owners than there can be, and one of an owner that no contract has.
#[tokio::test]
async fn a_token_that_this_mesh_did_not_write_is_refused_by_its_name() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let crowd: Vec<String> = (0..65).map(|number| format!("owner-{number}")).collect();
    let crowd: Vec<(&str, i64)> = crowd.iter().map(|owner| (owner.as_str(), 1)).collect();
    let stranger = [("stranger", 1), ("users", 1)];
    for rpc in rpcs() {
        for seen in [&crowd[..], &stranger] {
            let headers = replacing(&rpc, TOKEN, &[&session(seen)]);
            assert_eq!(wrong_fields(services.with(&rpc, &headers, []).await), [TOKEN], "{}", rpc.full_name());
        }
    }
}

#[tokio::test]
async fn a_thousand_keys_are_too_many() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs() {
        let headers =
            (0..1000).fold(named(Some(rpc.caller())), |headers, key| with(headers, &format!("k{key}"), "v"));
        let refused = refusal(services.with(&rpc, &headers, []).await);
        assert_eq!(refused, (Code::ResourceExhausted, "TOO_MUCH_METADATA".to_owned()), "{}", rpc.full_name());
    }
}

/// Keys that mean nothing here are let through, whatever is in them, and what looks like a name or a trace and is none
/// is replaced by one of the server's own.
#[tokio::test]
async fn other_keys_mean_nothing_and_are_repeated_nowhere() {
    const INJECTED: &str = "injected by the caller";
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs() {
        let mut headers = named(Some(rpc.caller()));
        for (key, value) in [
            ("x-language", &b"fran\xc3\xa7ais"[..]),
            ("x-broken-bin", b"!!! no base64"),
            ("freehold-owner", b"users"),
            (TRACEPARENT, b"00-injected-by-the-caller"),
            (REQUEST_ID, INJECTED.as_bytes()),
        ] {
            headers = with(headers, key, value);
        }
        let answer = services.with(&rpc, &headers, []).await;
        let metadata = match &answer {
            Ok(answer) => &answer.metadata,
            Err(status) => status.metadata(),
        };
        let id = metadata.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        assert!(
            id.is_some_and(|id| !id.is_empty() && !id.contains("injected")),
            "{}: {id:?}",
            rpc.full_name()
        );
        assert!(!format!("{answer:?}").contains("injected"), "{}: {answer:?}", rpc.full_name());
    }
}

/// The headers of somebody who may call, with these values of one key in place of what was there.
fn replacing(rpc: &Rpc, key: &str, values: &[&[u8]]) -> HeaderMap {
    let mut headers = named(Some(rpc.caller()));
    headers.remove(key);
    values.iter().fold(headers, |headers, value| with(headers, key, value))
}

fn token(owner: &str, mark: i64) -> Token {
    Token::default().with_owner(owner).with_epoch(1).with_mark(mark)
}

/// A session as its header has it.
fn session(seen: &[(&str, i64)]) -> Vec<u8> {
    encoded(&Session::of(seen.iter().map(|(owner, mark)| token(owner, *mark))).encode().unwrap())
}

fn encoded(bytes: &[u8]) -> Vec<u8> {
    MetadataValue::<Binary>::from_bytes(bytes).as_encoded_bytes().to_vec()
}
