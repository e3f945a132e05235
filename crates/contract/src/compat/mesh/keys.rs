//! FH341x: the key of an entity or an event (K6).
//!
//! Versions count per key, order holds per key, a copy has a row per key. Under another field all of that means something
//! else, for the owner's own log too: it breaks whether or not anybody declares it.

use prost_reflect::MessageDescriptor;

use crate::finding::{Finding, Severity};
use crate::language::number;

use super::readers::{Exposure, Target, Way};
use super::scope::Scope;
use crate::finding::Verdict;

/// FH3411.
pub(super) fn of_entities(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let name = old.full_name();
        let keys = scope.old.entities.get(name).zip(scope.new.entities.get(name));
        if let Some((was, is)) = keys.filter(|(was, is)| differs(old, &new, &was.key, &is.key)) {
            findings.push(changed(scope, (old, &new), ("entity", number::ENTITY, 1), &was.key, &is.key));
        }
    }
    findings
}

/// FH3412.
pub(super) fn of_events(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let name = old.full_name();
        let keys = scope.old.events.get(name).zip(scope.new.events.get(name));
        if let Some((was, is)) = keys.filter(|(was, is)| differs(old, &new, &was.key, &is.key)) {
            findings.push(changed(scope, (old, &new), ("event", number::EVENT, 2), &was.key, &is.key));
        }
    }
    findings
}

/// A key is a field; one that only has another name is the same.
fn differs(old: &MessageDescriptor, new: &MessageDescriptor, was: &str, is: &str) -> bool {
    let number =
        |message: &MessageDescriptor, key: &str| message.get_field_by_name(key).map(|field| field.number());
    number(old, was) != number(new, is)
}

fn changed(
    scope: &Scope<'_>,
    (old, new): (&MessageDescriptor, &MessageDescriptor),
    (kind, option, member): (&str, i32, i32),
    was: &str,
    is: &str,
) -> Finding {
    let name = old.full_name();
    let taken = |exposure: &Exposure<'_>| (exposure.way == Way::Taken).then_some(Verdict::Broken);
    let now = scope.new.places().message_option(new, &[option, member]);
    let before = scope.old.places().message_option(old, &[option, member]);
    Finding::error(format!("the key of the {kind} `{name}` is `{is}` now, and was `{was}`"))
        .mark(scope.new.mark(now, "now"))
        .mark(scope.old.mark(before, "before"))
        .hits(name, scope.affected(&[Target::Type(name)], taken))
        .at_least(Severity::Error)
        .help(format!(
            "keep it:\n    option (freehold.v1.{kind}).key = \"{was}\";\n\
             what is kept under another key is another {kind}: declare it beside this one, and move the readers"
        ))
}
