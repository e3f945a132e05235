//! Metadata that is garbage, too much, or twice: a clean status, and nothing decided from it.

use freehold_client::{CallOptions, Code};
use freehold_wire::Committed;
use freehold_wire::pb::Token;
use http::{HeaderName, HeaderValue};
use prost::Message;
use tokio::sync::mpsc;

use crate::bare::{Bare, frame, tester};
use crate::echo::{Echo, WRITE, note};

const READ: &str = "/echo.v1.EchoService/Read";

/// C25: non-ASCII, bad base64, duplicates: refused by name.
#[tokio::test]
async fn garbage_metadata_is_refused_by_name() {
    let served = Echo::new().serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let garbage: [(&str, &[u8]); 6] = [
        ("freehold-caller", b"or\xffders"),
        ("freehold-caller", b"Robert'); DROP TABLE users"),
        ("freehold-token-bin", b"!!!"),
        ("freehold-token-bin", b"AAAA"),
        ("idempotency-key", b"two words"),
        ("grpc-timeout", b"\x80"),
    ];
    for (name, value) in garbage {
        let mut headers = tester();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        let answered = bare.call(READ, headers, frame(&[])).await;
        assert_eq!(answered.status.code(), Code::InvalidArgument, "{name}");
        assert!(answered.status.message().starts_with(name), "{}", answered.status);
    }
    for name in ["freehold-caller", "freehold-token-bin", "idempotency-key", "grpc-timeout", "traceparent"] {
        let mut headers = tester();
        headers.append(HeaderName::from_static(name), "tester".parse().unwrap());
        headers.append(HeaderName::from_static(name), "orders".parse().unwrap());
        let answered = bare.call(READ, headers, frame(&[])).await;
        assert_eq!(answered.status.code(), Code::InvalidArgument, "{name} twice");
    }
    assert_eq!(bare.call(READ, tester(), frame(&[])).await.status.code(), Code::Ok, "the connection lives");
}

/// C25: a thousand keys, and more than fits: a status, or HTTP's own refusal, and the connection lives.
#[tokio::test]
async fn too_much_metadata_is_refused() {
    let served = Echo::new().serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let mut many = tester();
    for number in 0..1000 {
        many.insert(HeaderName::try_from(format!("x-{number}")).unwrap(), HeaderValue::from_static("v"));
    }
    let answered = bare.call(READ, many, frame(&[])).await;
    assert_eq!(answered.status.code(), Code::ResourceExhausted);
    assert_eq!(freehold_wire::reason::of(&answered.status), "TOO_MUCH_METADATA");
    assert_eq!(bare.call(READ, tester(), frame(&[])).await.status.code(), Code::Ok);
}

/// C25: what a caller puts into its request id, its trace or its name reaches a handler or an answer only where it is one;
/// else the call is refused, or gets one of its own. The planted bug is a request id that is taken as it came.
#[tokio::test]
async fn nothing_is_injected_into_traces_request_ids_or_names() {
    const WHOLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (tell, mut told) = mpsc::unbounded_channel();
    let echo = Echo::new().read(move |context, note| {
        let caller = context.caller().name().unwrap_or_default().to_owned();
        tell.send(format!("{} {} {caller}", context.request_id(), context.trace())).unwrap();
        async { Ok(note) }
    });
    let served = echo.serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    for name in ["x-request-id", "traceparent", "freehold-caller"] {
        for injected in ["a b\tlevel=error", "\u{e9}", &"x".repeat(500), &format!("{WHOLE} level=error")] {
            let mut headers = tester();
            headers.insert(name, HeaderValue::from_bytes(injected.as_bytes()).unwrap());
            let answered = bare.call(READ, headers, frame(&[])).await;
            let id = answered.metadata.get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
            for said in id.into_iter().chain(told.try_recv()) {
                assert!(!said.contains(injected) && !said.contains("level=error"), "{name}: {said}");
            }
            let code = answered.status.code();
            assert!(matches!(code, Code::Ok | Code::InvalidArgument), "{name}: {}", answered.status);
        }
    }
}

/// C12: a reply that was recorded by an earlier call under the same key says so, and carries the token of that commit.
#[tokio::test]
async fn a_replayed_reply_says_so_and_carries_its_token() {
    let echo = Echo::new().write(|context, request| async move {
        let token = Token::default().with_owner("first").with_epoch(1).with_mark(4);
        Ok(Committed::attest(request, token, context.key() == Some("seen-before")))
    });
    let served = echo.serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    for (key, replayed) in [("seen-before", true), ("new", false)] {
        let mut headers = tester();
        headers.insert("idempotency-key", key.parse().unwrap());
        let answered = bare.call(WRITE.rules().path, headers, frame(&note("a").encode_to_vec())).await;
        assert_eq!(answered.status.code(), Code::Ok);
        assert_eq!(answered.metadata.contains_key("freehold-replayed"), replayed);
    }
    let options = CallOptions::new().with_key("seen-before");
    served.channel("tester").unary(&WRITE, note("a"), &options).await.unwrap();
    assert_eq!(options.session().token("first").unwrap().mark, 4);
}

/// Every answer, a refusal too, names its call.
#[tokio::test]
async fn every_answer_names_its_call() {
    let served = Echo::new().serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let mut headers = tester();
    headers.insert("x-request-id", "call-1".parse().unwrap());
    for path in [READ, WRITE.rules().path] {
        let answered = bare.call(path, headers.clone(), frame(&[])).await;
        assert_eq!(answered.metadata["x-request-id"], "call-1");
    }
    let error = served.channel("stranger").unary(&WRITE, note(""), &CallOptions::new()).await.unwrap_err();
    assert!(error.request_id().is_some_and(|id| !id.is_empty()));
}
