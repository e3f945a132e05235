//! FH53xx: a field says in its type or its name what its value is.

use prost_reflect::{FieldDescriptor, Kind};

use super::fields;
use crate::finding::Finding;
use crate::rules::scope::Scope;

const POINTS: [&str; 3] = ["time", "at", "timestamp"];
const SPANS: [&str; 5] = ["duration", "timeout", "ttl", "interval", "delay"];
const MONEY: [&str; 4] = ["price", "fee", "cents", "money"];
const MONEY_LAST: [&str; 3] = ["amount", "cost", "balance"];

/// FH5301.
pub(in crate::rules) fn unitless_time(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in fields(scope).filter(is_number) {
        let (stem, last) = field.name().rsplit_once('_').unwrap_or(("", field.name()));
        let kind = match (POINTS.contains(&last), SPANS.contains(&last)) {
            (true, _) if !(stem.is_empty() && last == "at") => "Timestamp",
            (_, true) => "Duration",
            _ => continue,
        };
        let stem = if kind == "Duration" || stem.is_empty() { field.name() } else { stem };
        let (name, number) = (field.name(), field.number());
        let finding = Finding::error(format!("`{}` is a number of nobody knows what", field.full_name()))
            .at(scope.places.field(&field), "seconds? milliseconds?");
        findings.push(finding.help(format!(
            "say it by the type, or else in the name:\n    google.protobuf.{kind} {name} = {number};\n    int64 {stem}_ms = {number};"
        )));
    }
    findings
}

/// FH5302.
pub(in crate::rules) fn rounded_money(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in fields(scope).filter(|field| matches!(field.kind(), Kind::Double | Kind::Float)) {
        let last = field.name().rsplit('_').next().unwrap_or_default();
        if !MONEY_LAST.contains(&last) && !field.name().split('_').any(|word| MONEY.contains(&word)) {
            continue;
        }
        let finding = Finding::error(format!("`{}` is money, and is rounded", field.full_name()))
            .at(scope.places.field(&field), "0.1 + 0.2 is not 0.3 here");
        let stem = field.name().trim_end_matches("_cents");
        let line = format!("int64 {stem}_cents = {};", field.number());
        findings.push(finding.help(format!("count the smallest unit instead:\n    {line}")));
    }
    findings
}

/// FH5303.
pub(in crate::rules) fn any(scope: &Scope<'_>) -> Vec<Finding> {
    let is_any = |field: &FieldDescriptor| {
        field.kind().as_message().is_some_and(|message| message.full_name() == "google.protobuf.Any")
    };
    let finding = |field: FieldDescriptor| {
        Finding::error(format!("`{}` may be anything, so no contract says what it is", field.full_name()))
            .at(scope.places.field(&field), "")
            .help("name what it can be:\n    oneof value { .. }")
    };
    fields(scope).filter(is_any).map(finding).collect()
}

fn is_number(field: &FieldDescriptor) -> bool {
    !matches!(field.kind(), Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Enum(_))
}
