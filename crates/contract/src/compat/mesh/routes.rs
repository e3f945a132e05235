//! FH3510: the HTTP routes of a method, which is how a caller reaches it without a generated client.
//!
//! A route is a verb and a path; the names of a path's variables are nobody's affair but ours, the fields that they fill
//! are. Whoever declares a call may make it by HTTP, for a need does not say how; a saga's steps never are.
//! Spelling and path templates: google/api/http.proto.

use prost_reflect::{MessageDescriptor, MethodDescriptor};

use crate::finding::{Finding, Verdict};
use crate::language::{self, Binding, number};

use super::readers::{Target, Way};
use super::scope::Scope;

/// What a caller relies on: where it sends, and what of the messages goes where.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    /// "GET /v1/products/{*}".
    line: String,
    /// The path of fields, as numbers, that each variable fills.
    fills: Vec<Vec<u32>>,
    body: String,
    response_body: String,
}

/// FH3510.
pub(super) fn routes(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, old, new) in scope.method_pairs() {
        let now = routes_of(new);
        for route in routes_of(old).iter().filter(|route| !now.contains(route)) {
            let what = match now.iter().find(|other| other.line == route.line) {
                Some(_) => "takes other fields from path or body, or answers with others",
                None => "is gone: who calls by HTTP gets 404, or something else",
            };
            let (place, before) = (
                scope.new.places().method_option(new, &[number::HTTP]),
                scope.old.places().method_option(old, &[number::HTTP]),
            );
            let affected = scope.affected(&[Target::Method(name)], |exposure| {
                (exposure.way == Way::Called).then_some(Verdict::Broken)
            });
            let finding = Finding::warning(format!("the route `{}` of `{name}` {what}", route.line))
                .mark(scope.new.mark(place, "now"))
                .mark(scope.old.mark(before, "before"))
                .hits(name, affected)
                .help("keep it, and add the new one beside it under `additional_bindings`; then move the callers");
            findings.push(finding);
        }
    }
    findings
}

fn routes_of(method: &MethodDescriptor) -> Vec<Route> {
    language::bindings(method).into_iter().map(|binding| route(binding, &method.input())).collect()
}

fn route(binding: Binding, request: &MessageDescriptor) -> Route {
    let mut path = String::new();
    let mut fills = Vec::new();
    let mut rest = binding.path.as_str();
    while let Some((before, (variable, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let (field, segments) = variable.split_once('=').unwrap_or((variable, "*"));
        path.push_str(&format!("{before}{{{}}}", segments.trim()));
        fills.push(numbers(request, field.trim()));
        rest = after;
    }
    path.push_str(rest);
    Route {
        line: format!("{} {path}", binding.verb),
        fills,
        body: binding.body,
        response_body: binding.response_body,
    }
}

/// "item.id" as the numbers of its fields; a name that leads nowhere ends the list.
fn numbers(request: &MessageDescriptor, field: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    let mut message = Some(request.clone());
    for name in field.split('.') {
        let Some(field) = message.as_ref().and_then(|message| message.get_field_by_name(name)) else { break };
        numbers.push(field.number());
        message = field.kind().as_message().cloned();
    }
    numbers
}
