//! What a peer says in its headers, under a fuzzer: metadata, deadlines, traces and pushback.
//!
//! Here each target takes a few inputs by chance; `cargo xtask soak fuzz` runs the same targets for ten minutes each and
//! follows what code they reach. **Invariant:** whatever comes in, nothing panics; it is taken as it was meant, or refused.

use std::time::{Duration, Instant};

use bolero::check;
use freehold_wire::trace::Trace;
use freehold_wire::{
    Access, Caller, Context, Criticality, Pushback, Retry, Rules, deadline, metadata, reason,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::Code;

/// How many inputs a target takes by chance.
const INPUTS: usize = 1000;

static RULES: Rules = Rules {
    path: "/a.v1.A/B",
    deadline: Duration::from_secs(1),
    min_deadline: Duration::ZERO,
    retry: Retry::Keyed,
    access: Access::Declared,
    cache: None,
    criticality: Criticality::Default,
    streams: false,
};

/// The keys that a server reads.
const READ: [&str; 9] = [
    metadata::CALLER,
    metadata::TOKEN,
    metadata::IDEMPOTENCY_KEY,
    metadata::TIMEOUT,
    metadata::TRACEPARENT,
    metadata::REQUEST_ID,
    metadata::PREVIOUS_ATTEMPTS,
    metadata::RETRIED,
    metadata::CRITICALITY,
];

/// Headers out of bytes: of each line the first byte says which key, the rest is its value. What HTTP itself refuses never
/// gets so far.
fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(100) {
        let Some((key, value)) = line.split_first() else { continue };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(READ[usize::from(*key) % READ.len()]), value);
        }
    }
    headers
}

/// C25: a call is taken with what it said, within its bounds, or refused by the name of what is wrong.
#[test]
fn metadata_of_a_call() {
    check!().with_iterations(INPUTS).for_each(|bytes: &[u8]| {
        let (headers, now) = (headers(bytes), Instant::now());
        match Context::of_call(&RULES, &headers, now) {
            Ok(context) => {
                assert!(context.deadline() > now && context.deadline() <= now + RULES.max_deadline());
                assert!(context.criticality() <= RULES.criticality);
                assert!(context.request_id().bytes().all(|byte| byte.is_ascii_graphic()));
                assert!(context.key().is_none_or(|key| key.bytes().all(|byte| byte.is_ascii_graphic())));
                if let Caller::Named(name) = context.caller() {
                    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
                }
                assert_eq!(Trace::parse(&context.trace().to_string()), Some(context.trace()));
            }
            Err(refused) if refused.code() == Code::DeadlineExceeded => {
                assert_eq!(reason::of(&refused), "DEADLINE_SPENT");
            }
            Err(refused) => {
                assert_eq!(refused.code(), Code::InvalidArgument);
                assert!(READ.iter().any(|key| refused.message().starts_with(key)), "{refused}");
            }
        }
    });
}

/// C4: what is read is what is written again, never longer.
#[test]
fn grpc_timeout() {
    check!().with_iterations(INPUTS).for_each(|bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Ok(timeout) = deadline::parse(text) {
            let again = deadline::parse(&deadline::format(timeout)).expect("what is written can be read");
            assert!(again <= timeout, "{text}");
        }
    });
}

/// C9: a number of milliseconds counts, all else is no.
#[test]
fn pushback() {
    check!().with_iterations(INPUTS).for_each(|bytes: &[u8]| {
        let number = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<i64>().ok());
        if let Pushback::After(wait) = Pushback::parse(bytes) {
            assert_eq!(i64::try_from(wait.as_millis()).ok(), number);
        }
    });
}

#[test]
fn trace_context() {
    check!().with_iterations(INPUTS).for_each(|bytes: &[u8]| {
        let Some(trace) = std::str::from_utf8(bytes).ok().and_then(Trace::parse) else { return };
        assert_eq!(Trace::parse(&trace.to_string()), Some(trace));
        assert_eq!(trace.child().id(), trace.id());
    });
}
