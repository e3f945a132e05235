//! What the contract does not declare is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_client::{CallOptions, Code};

use crate::bare::{Bare, frame, tester};
use crate::echo::{CONTRACT, Echo, OPEN, READ, WRITE, note};

/// C32: each caller and method pair is allowed or refused as the contract says, and a refusal names the missing line.
#[tokio::test]
async fn an_undeclared_call_is_refused_and_told_the_missing_line() {
    let served = Echo::new().serve().await;
    let options = CallOptions::new();
    for consumer in CONTRACT.consumers {
        let channel = served.channel(consumer.name);
        for method in [&READ, &WRITE] {
            let answer = channel.unary(method, note("?"), &options).await;
            let refused = answer.is_err_and(|error| error.is_permission_denied());
            assert_eq!(refused, !consumer.calls.contains(&method.rules().name()), "{}", consumer.name);
        }
    }
    let error = served.channel("reader").unary(&WRITE, note("?"), &options).await.unwrap_err();
    assert_eq!(error.reason(), "UNDECLARED");
    assert_eq!(
        error.message(),
        "`reader` does not declare this call; add to reader/v1/needs.proto: \
         option (freehold.v1.calls) = { method: \"echo.v1.EchoService/Write\" };"
    );
}

#[tokio::test]
async fn a_caller_that_no_contract_knows_is_told_what_it_wants() {
    let served = Echo::new().serve().await;
    let options = CallOptions::new();
    let stranger = served.channel("stranger");
    let error = stranger.unary(&READ, note("?"), &options).await.unwrap_err();
    assert!(
        error.is_permission_denied()
            && error.message().contains("no contract declares a consumer `stranger`")
    );
    assert_eq!(stranger.unary(&OPEN, note("for all"), &options).await.unwrap().text, "for all");
}

#[tokio::test]
async fn a_caller_without_a_name_gets_what_is_public() {
    let served = Echo::new().serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let mut nameless = tester();
    nameless.remove("freehold-caller");
    let refused = bare.call("/echo.v1.EchoService/Read", nameless.clone(), frame(&[])).await;
    assert_eq!(refused.status.code(), Code::PermissionDenied);
    assert!(refused.status.message().contains("name yourself in `freehold-caller`"));
    assert_eq!(bare.call("/echo.v1.EchoService/Open", nameless, frame(&[])).await.status.code(), Code::Ok);
}

/// A refused call reaches no handler.
#[tokio::test]
async fn a_refused_call_reaches_no_handler() {
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = handled.clone();
    let echo = Echo::new().read(move |_, note| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(note) }
    });
    let served = echo.serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let with = |name: &'static str, value: &str| {
        let mut headers = tester();
        headers.insert(name, value.parse().unwrap());
        headers
    };
    for headers in
        [with("freehold-caller", "stranger"), with("grpc-timeout", "0S"), with("grpc-timeout", "abc")]
    {
        assert_ne!(bare.call("/echo.v1.EchoService/Read", headers, frame(&[])).await.status.code(), Code::Ok);
    }
    assert_eq!(handled.load(Ordering::SeqCst), 0);
    assert_eq!(bare.call("/echo.v1.EchoService/Read", tester(), frame(&[])).await.status.code(), Code::Ok);
    assert_eq!(handled.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented() {
    let served = Echo::new().serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    for path in
        ["/echo.v1.EchoService/Nothing", "/nobody.v1.Nobody/Nothing", "/", "/a/b/c", "/freehold.v1.Feed/Head"]
    {
        let answered = bare.call(path, tester(), frame(&[])).await;
        assert_eq!(answered.status.code(), Code::Unimplemented, "{path}");
        assert_eq!(freehold_wire::reason::of(&answered.status), "UNIMPLEMENTED", "{path}");
    }
}
