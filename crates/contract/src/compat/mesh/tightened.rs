//! FH33xx: checks and choices (K4).
//!
//! The owner checks requests, so what gets tighter hurts callers, and what gets looser hurts whoever reads the same
//! message elsewhere. A new value or a new member of a oneof is met by old readers only. Each is told in the direction in
//! which it matters, and not at all where there is none.

use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};

use crate::editions::is_closed;
use crate::finding::{Finding, Mark, Verdict};
use crate::language::{self, FieldRules, number};
use crate::rules::type_of;

use super::readers::Target;
use super::removed::declared_at;
use super::scope::{Scope, read, sent};
use super::shape::same_oneof;

/// FH3301.
pub(super) fn required(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        for field in new.fields().filter(|field| language::field_rules(field).required) {
            let before = old.get_field(field.number());
            if before.as_ref().is_some_and(|before| language::field_rules(before).required) {
                continue;
            }
            let how = if before.is_some() { "becomes required" } else { "is new, and required" };
            let text = format!("`{}` {how}: what old callers send without it is refused", field.full_name());
            let was = before.map(|before| scope.old.at_field(&before, "before"));
            findings.extend(tightened(
                scope,
                old,
                &field,
                1,
                was,
                text,
                "leave it optional, and let the owner decide what absence means",
            ));
        }
    }
    findings
}

/// FH3302.
pub(super) fn limits_tightened(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.field_pairs() {
        for limit in limits(&language::field_rules(&old), &language::field_rules(&new)) {
            if limit.order() != Order::Tighter {
                continue;
            }
            let text = format!(
                "`{}` {}: what old callers send beyond it is refused",
                new.full_name(),
                limit.change()
            );
            let was = scope.old.at_field(&old, "before");
            let help = "keep the limit, and refuse in the owner's code what it cannot take";
            findings.extend(tightened(
                scope,
                old.parent_message(),
                &new,
                limit.option,
                Some(was),
                text,
                help,
            ));
        }
    }
    findings
}

/// FH3303.
pub(super) fn limits_loosened(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.field_pairs() {
        let (was, is) = (language::field_rules(&old), language::field_rules(&new));
        let mut changes: Vec<(String, i32)> = limits(&was, &is)
            .filter(|limit| limit.order() == Order::Looser)
            .map(|limit| (limit.change(), limit.option))
            .collect();
        if was.required && !is.required {
            changes.push(("need not be there any more".to_owned(), 1));
        }
        for (change, option) in changes {
            let target = [Target::Field(old.parent_message().full_name(), old.number())];
            let affected = scope.affected(&target, |it| read(it, Verdict::PotentiallyAffected));
            let place = scope.new.places().field_option(&new, &[number::FIELD, option]);
            let text = format!("`{}` {change}: readers may meet what they never met", new.full_name());
            let finding = Finding::warning(text)
                .mark(scope.new.mark(place, "now"))
                .mark(scope.old.at_field(&old, "before"))
                .hits(new.full_name(), affected)
                .help("tell the readers first: a column or a page of theirs may be made for the old limit");
            findings.extend(Some(finding).filter(|finding| !finding.affected.is_empty()));
        }
    }
    findings
}

/// FH3304.
pub(super) fn values_added(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.enum_pairs() {
        let verdict = if is_closed(old) { Verdict::Broken } else { Verdict::PotentiallyAffected };
        let added =
            |name: &str, number| old.get_value_by_name(name).is_none() && old.get_value(number).is_none();
        for value in new.values().filter(|value| added(value.name(), value.number())) {
            let affected = scope.affected(&[Target::Type(old.full_name())], |it| read(it, verdict));
            if affected.is_empty() {
                continue;
            }
            let element = format!("{}.{}", new.full_name(), value.name());
            let what = if is_closed(old) { "drop it" } else { "meet a number that they do not know" };
            let at = declared_at(&new, value.name()).unwrap_or_default();
            let finding = Finding::warning(format!("`{element}` is new: old readers {what}"))
                .mark(scope.new.at_value(&new, at, "new"))
                .hits(&element, affected)
                .help("let the readers know it first; send it once they do");
            findings.push(finding);
        }
    }
    findings
}

/// FH3305.
pub(super) fn members_added(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        for field in new.fields().filter(|field| old.get_field(field.number()).is_none()) {
            let Some(oneof) = field.containing_oneof() else { continue };
            let Some(was) = old.oneofs().find(|was| same_oneof(was, &oneof)) else { continue };
            let targets = members(old, &was);
            let targets: Vec<Target<'_>> =
                targets.iter().map(|number| Target::Field(old.full_name(), *number)).collect();
            let affected = scope.affected(&targets, |it| read(it, Verdict::Broken));
            if affected.is_empty() {
                continue;
            }
            let text = format!(
                "`{}` is a new member of the oneof `{}`: old readers drop it, and find nothing set",
                field.full_name(),
                oneof.name()
            );
            let finding = Finding::warning(text)
                .mark(scope.new.at_field(&field, "new"))
                .hits(field.full_name(), affected)
                .help(format!(
                    "declare it beside the oneof, and set both until the readers know it:\n    {} {} = {};",
                    type_of(&field).trim_start_matches("optional "),
                    field.name(),
                    field.number()
                ));
            findings.push(finding);
        }
    }
    findings
}

fn members(message: &MessageDescriptor, oneof: &OneofDescriptor) -> Vec<u32> {
    let inside =
        |field: &FieldDescriptor| field.containing_oneof().is_some_and(|it| it.name() == oneof.name());
    message.fields().filter(inside).map(|field| field.number()).collect()
}

/// What callers send is held to more than before.
fn tightened(
    scope: &Scope<'_>,
    message: &MessageDescriptor,
    field: &FieldDescriptor,
    option: i32,
    before: Option<Mark>,
    text: String,
    help: &str,
) -> Option<Finding> {
    let target = [Target::Field(message.full_name(), field.number())];
    let affected = scope.affected(&target, |it| sent(it, Verdict::Broken));
    let place = scope.new.places().field_option(field, &[number::FIELD, option]);
    let mut finding = Finding::warning(text).mark(scope.new.mark(place, "now"));
    if let Some(mark) = before {
        finding = finding.mark(mark);
    }
    let finding = finding.hits(field.full_name(), affected).help(help);
    (!finding.affected.is_empty()).then_some(finding)
}

/// A limit before and now.
struct Limit {
    name: &'static str,
    /// Its number among the options of a field.
    option: i32,
    was: Option<i64>,
    is: Option<i64>,
    /// Whether a smaller one is tighter.
    greatest: bool,
}

#[derive(PartialEq, Eq)]
enum Order {
    Same,
    Tighter,
    Looser,
}

impl Limit {
    fn order(&self) -> Order {
        let tighter = |from: i64, to: i64| if self.greatest { to < from } else { to > from };
        match (self.was, self.is) {
            (was, is) if was == is => Order::Same,
            (None, Some(_)) => Order::Tighter,
            (Some(was), Some(is)) if tighter(was, is) => Order::Tighter,
            _ => Order::Looser,
        }
    }

    fn change(&self) -> String {
        let name = self.name;
        match (self.was, self.is) {
            (Some(was), Some(is)) => format!("has `{name}` {is}, and had {was}"),
            (None, Some(is)) => format!("has `{name}` {is}, and had none"),
            (Some(was), None) => format!("has no `{name}` any more, and had {was}"),
            (None, None) => String::new(),
        }
    }
}

fn limits(was: &FieldRules, is: &FieldRules) -> impl Iterator<Item = Limit> {
    let limit = |name, option, greatest, was, is| Limit { name, option, was, is, greatest };
    [
        limit("min", 2, false, was.min, is.min),
        limit("max", 3, true, was.max, is.max),
        limit("max_length", 4, true, was.max_length.map(i64::from), is.max_length.map(i64::from)),
        limit("max_items", 5, true, was.max_items.map(i64::from), is.max_items.map(i64::from)),
    ]
    .into_iter()
}
