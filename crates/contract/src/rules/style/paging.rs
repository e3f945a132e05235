//! FH52xx: what may grow without end is read page by page, and nobody is refused for the page he asks.

use std::collections::BTreeSet;

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::words::begins_with;
use super::{is_stream, next_number, rpcs};
use crate::finding::Finding;
use crate::language::{self, number};
use crate::rules::scope::{Scope, declaration, type_of};

const LISTS: [&str; 4] = ["List", "Search", "Find", "Query"];
const REQUEST: [(&str, &str); 2] = [("int32", "page_size"), ("string", "page_token")];
const REPLY: (&str, &str) = ("string", "next_page_token");

/// FH5201.
pub(in crate::rules) fn unpaged(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in rpcs(scope).filter(|rpc| !is_stream(rpc)) {
        let (request, reply) = (rpc.method.input(), rpc.method.output());
        let lists = LISTS.iter().any(|verb| begins_with(rpc.method.name(), verb));
        let Some(items) = reply.fields().find(FieldDescriptor::is_list).filter(|_| lists) else { continue };
        let mut missing = missing(&request, &REQUEST);
        missing.extend(self::missing(&reply, &[REPLY]));
        if missing.is_empty() {
            continue;
        }
        let finding = Finding::error(format!("`{}` returns all `{}` at once", rpc.name, items.name()))
            .at(scope.places.method(&rpc.method), "no pages")
            .at(scope.places.field(&items), "");
        findings.push(finding.help(format!("add\n{}", missing.join("\n"))));
    }
    findings
}

/// FH5202.
pub(in crate::rules) fn other_types(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, field) in page_fields(scope) {
        let found = type_of(&field);
        if found.trim_start_matches("optional ") != kind {
            let message = format!("`{}` is not of the type that every page has", field.full_name());
            let finding = Finding::error(message).at(scope.places.field(&field), format!("`{found}` here"));
            let line = format!("{kind} {} = {};", field.name(), field.number());
            findings.push(finding.help(format!("write\n    {line}")));
        }
    }
    findings
}

/// FH5203.
pub(in crate::rules) fn refusing(scope: &Scope<'_>) -> Vec<Finding> {
    const REQUIRED: i32 = 1;
    const MIN: i32 = 2;
    const MAX: i32 = 3;
    let mut findings = Vec::new();
    for (_, field) in page_fields(scope).into_iter().filter(|(_, field)| field.name() != REPLY.1) {
        let rules = language::field_rules(&field);
        let refusals = [
            (rules.required, REQUIRED, "whoever leaves it out"),
            (rules.min.is_some_and(|min| min > 0), MIN, "whoever leaves it out"),
            (rules.max.is_some(), MAX, "whoever asks for more than there is in a page"),
        ];
        for (_, tag, whom) in refusals.into_iter().filter(|(set, ..)| *set) {
            let finding = Finding::error(format!("`{}` refuses {whom}", field.full_name()))
                .at(scope.places.field_option(&field, &[number::FIELD, tag]), "");
            let help =
                format!("the owner takes what suits it; write\n    {}", declaration(&field, field.name()));
            findings.push(finding.help(help));
        }
    }
    findings
}

/// FH5204.
pub(in crate::rules) fn boundless_batch(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in rpcs(scope).filter(|rpc| !is_stream(rpc) && begins_with(rpc.method.name(), "Batch")) {
        for field in rpc.method.input().fields().filter(FieldDescriptor::is_list) {
            if language::field_rules(&field).max_items.is_some() {
                continue;
            }
            let message = format!("`{}` takes as many `{}` as the caller likes", rpc.name, field.name());
            let finding = Finding::error(message).at(scope.places.field(&field), "no end");
            findings.push(finding.help("say how many at most:\n    [(freehold.v1.field).max_items = 1000]"));
        }
    }
    findings
}

/// The lines that the message lacks, after its last field.
fn missing(message: &MessageDescriptor, fields: &[(&str, &str)]) -> Vec<String> {
    let absent = fields.iter().filter(|(_, name)| message.get_field_by_name(name).is_none());
    let line = |((kind, name), number): (&(&str, &str), u32)| {
        format!("    {kind} {name} = {number};   // in {}", message.name())
    };
    absent.zip(next_number(message)..).map(line).collect()
}

/// The fields of requests and replies that page, each once, with the type that they have everywhere.
fn page_fields(scope: &Scope<'_>) -> Vec<(&'static str, FieldDescriptor)> {
    let mut found: Vec<(&'static str, FieldDescriptor)> = Vec::new();
    let mut seen = BTreeSet::new();
    for rpc in rpcs(scope) {
        let (request, reply) = (rpc.method.input(), rpc.method.output());
        let sides = REQUEST.iter().map(|one| (&request, one)).chain([(&reply, &REPLY)]);
        for (message, (kind, name)) in sides {
            let field =
                message.get_field_by_name(name).filter(|field| seen.insert(field.full_name().to_owned()));
            found.extend(field.map(|field| (*kind, field)));
        }
    }
    found
}
