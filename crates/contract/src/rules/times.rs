//! Spans of time: each is more than nothing, and a method's least deadline is not above its deadline.

use super::scope::{Rpc, Scope};
use crate::finding::Finding;
use crate::language::{self, Nanos, number};
use crate::model::{Model, Place};

const DEADLINE: &[i32] = &[number::CALL, 1];
const MIN_DEADLINE: &[i32] = &[number::CALL, 2];
const CACHE_TTL: &[i32] = &[number::CALL, 5, 1];
const MAX_STALENESS: &[i32] = &[number::REPLICA, 2];

/// FH4101.
pub(super) fn out_of_range(scope: &Scope<'_>) -> Vec<Finding> {
    let spans = scope.methods.values().flat_map(|rpc| method_spans(scope, rpc));
    let replicas = scope.messages().filter_map(|message| {
        let staleness = language::replica(message)?.max_staleness?;
        let what = format!("the greatest staleness of `{}`", message.full_name());
        let line = "option (freehold.v1.replica).max_staleness = { seconds: 5 };";
        Some((what, staleness, scope.places.message_option(message, MAX_STALENESS), line))
    });
    let wrong = spans.chain(replicas).filter(|(_, nanos, ..)| language::span(*nanos).is_none());
    wrong
        .map(|(what, nanos, place, line)| {
            Finding::error(format!("{what} is {}", describe(nanos)))
                .at(place, "")
                .help(format!("write\n    {line}"))
        })
        .collect()
}

/// FH4102.
pub(super) fn impossible_deadline(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in scope.methods.values() {
        let Some(least) = rpc.words.min_deadline.and_then(language::span) else { continue };
        let declared = rpc.words.deadline.and_then(language::span);
        let deadline = declared.unwrap_or(Model::default_deadline());
        if least <= deadline {
            continue;
        }
        let name = &rpc.name;
        let message =
            format!("`{name}` is refused with less than {least:?} left, and its deadline is {deadline:?}");
        let finding = Finding::error(message)
            .at(scope.places.method_option(&rpc.method, MIN_DEADLINE), "the least that must be left")
            .at(
                scope.places.method_option(&rpc.method, DEADLINE),
                if declared.is_some() { "" } else { "two seconds where none is declared" },
            );
        findings.push(
            finding.help("raise the deadline or lower `min_deadline`: as it stands every call is refused"),
        );
    }
    findings
}

type Span = (String, Nanos, Place, &'static str);

fn method_spans(scope: &Scope<'_>, rpc: &Rpc) -> Vec<Span> {
    let words = &rpc.words;
    let ttl = words.cache.as_ref().map(|cache| cache.ttl.unwrap_or_default());
    let spans = [
        ("deadline", words.deadline, DEADLINE, "option (freehold.v1.call).deadline = { seconds: 2 };"),
        (
            "least deadline",
            words.min_deadline,
            MIN_DEADLINE,
            "option (freehold.v1.call).min_deadline = { nanos: 50000000 };",
        ),
        (
            "time to live of the cache",
            ttl,
            CACHE_TTL,
            "option (freehold.v1.call).cache = { ttl: { seconds: 30 } };",
        ),
    ];
    let name = &rpc.name;
    let place = |option| scope.places.method_option(&rpc.method, option);
    let written = spans.into_iter().filter_map(|(what, nanos, option, line)| {
        Some((format!("the {what} of `{name}`"), nanos?, place(option), line))
    });
    written.collect()
}

fn describe(nanos: Nanos) -> &'static str {
    match nanos {
        0 => "zero",
        ..0 => "negative",
        _ => "longer than five hundred years",
    }
}
