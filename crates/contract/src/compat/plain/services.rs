//! What a service offers: its RPCs, what they take and give, and whether they may be repeated.

use std::collections::HashSet;

use super::change::{MethodPair, Pair};
use super::report::{Breach, Report};
use crate::model::Place;
use crate::schema::Service;

/// The tags in `ServiceDescriptorProto` and `MethodDescriptorProto`.
const METHOD: i32 = 2;
const REQUEST: &[i32] = &[2];
const RESPONSE: &[i32] = &[3];
const IDEMPOTENCY_LEVEL: &[i32] = &[4, 34];

pub(super) fn rpcs(pair: &Pair<Service>, report: &mut Report) {
    let left: HashSet<&str> = pair.now.methods.iter().map(|method| method.name.as_str()).collect();
    for (index, method) in pair.before.methods.iter().enumerate() {
        if left.contains(method.name.as_str()) {
            continue;
        }
        let index = i32::try_from(index).unwrap_or_default();
        let path = [&pair.before.head.path, &[METHOD, index][..]].concat();
        let (before, now) = pair.places(&path, &pair.now.head.path);
        report.add(Breach {
            element: format!("{}/{}", pair.before.head.name, method.name),
            message: format!("the RPC `{}` is gone", method.name),
            now,
            before,
            help: "keep the RPC until nobody calls it; `option deprecated = true` says so".to_owned(),
        });
    }
}

pub(super) fn client_streaming(pair: &MethodPair, report: &mut Report) {
    let (before, now) = (pair.before.method.client_streaming, pair.now.method.client_streaming);
    if before != now {
        report.add(breach(
            pair,
            &[],
            format!("the caller sent {} and sends {} now", much(before), much(now)),
        ));
    }
}

pub(super) fn server_streaming(pair: &MethodPair, report: &mut Report) {
    let (before, now) = (pair.before.method.server_streaming, pair.now.method.server_streaming);
    if before != now {
        report.add(breach(
            pair,
            &[],
            format!("the server sent {} and sends {} now", much(before), much(now)),
        ));
    }
}

fn much(streaming: bool) -> &'static str {
    if streaming { "a stream" } else { "one message" }
}

pub(super) fn request_type(pair: &MethodPair, report: &mut Report) {
    let (before, now) = (&pair.before.method.request, &pair.now.method.request);
    if before != now {
        report.add(breach(pair, REQUEST, format!("the request changed from `{before}` to `{now}`")));
    }
}

pub(super) fn response_type(pair: &MethodPair, report: &mut Report) {
    let (before, now) = (&pair.before.method.response, &pair.now.method.response);
    if before != now {
        report.add(breach(pair, RESPONSE, format!("the response changed from `{before}` to `{now}`")));
    }
}

/// Where the option is gone, the finding stands on the file, as with the published checker.
pub(super) fn idempotency_level(pair: &MethodPair, report: &mut Report) {
    let (before, now) = (pair.before.method.idempotency, pair.now.method.idempotency);
    if before != now {
        let message = format!("`idempotency_level` changed from {} to {}", level(before), level(now));
        let written = pair.now.written(IDEMPOTENCY_LEVEL);
        let place = written.unwrap_or_else(|| Place::whole(&pair.now.file.path));
        report.add(Breach { now: Some(place), ..breach(pair, IDEMPOTENCY_LEVEL, message) });
    }
}

fn level(number: i32) -> String {
    match number {
        0 => "IDEMPOTENCY_UNKNOWN".to_owned(),
        1 => "NO_SIDE_EFFECTS".to_owned(),
        2 => "IDEMPOTENT".to_owned(),
        other => other.to_string(),
    }
}

/// At a part of the RPC if that is written, else at the RPC.
fn breach(pair: &MethodPair, part: &[i32], message: String) -> Breach {
    Breach {
        element: pair.now.element(),
        message,
        now: Some(pair.now.place(part)),
        before: Some(pair.before.place(part)),
        help: "leave the RPC as it was and add another".to_owned(),
    }
}
