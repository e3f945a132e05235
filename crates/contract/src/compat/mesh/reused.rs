//! FH31xx: numbers and names that mean something else now (K2).
//!
//! A number is for ever: stored events, old callers and copies still hold to what it meant. So it breaks whether or not
//! anybody declares it.

use std::ops::RangeInclusive;

use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor};

use crate::finding::{Finding, Mark, Severity, Verdict};
use crate::rules::type_of;

use super::readers::{Exposure, Target, Way};
use super::removed::declared_at;
use super::scope::{Scope, breaks, may_break};
use super::types::is_reused;

/// FH3101.
pub(super) fn numbers(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.field_pairs().filter(|(old, new)| is_reused(scope, old, new)) {
        let (message, number) = (old.parent_message(), old.number());
        let affected = scope.affected(&[Target::Field(message.full_name(), number)], breaks);
        let text = format!(
            "number {number} of `{}` is reused: it was `{} {}`, and is `{} {}`",
            message.full_name(),
            type_of(&old),
            old.name(),
            type_of(&new),
            new.name()
        );
        let free = free_number(new.parent_message());
        let finding = Finding::error(text)
            .mark(scope.new.at_field(&new, "now"))
            .mark(scope.old.at_field(&old, "before"))
            .hits(old.full_name(), affected)
            .at_least(Severity::Error)
            .help(format!(
                "give the new field a number of its own, and reserve the old one:\n    {} {} = {free};\n    \
                 reserved {number};\n    reserved \"{}\";",
                type_of(&new),
                new.name(),
                old.name()
            ));
        findings.push(finding);
    }
    findings
}

/// FH3102.
pub(super) fn renumbered(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        for field in old.fields() {
            let Some(now) = new.get_field_by_name(field.name()).filter(|now| now.number() != field.number())
            else {
                continue;
            };
            let affected = scope.affected(&[Target::Field(old.full_name(), field.number())], breaks);
            let text =
                format!("`{}` was number {}, and is {}", field.full_name(), field.number(), now.number());
            let finding = Finding::error(text)
                .mark(scope.new.at_field(&now, "now"))
                .mark(scope.old.at_field(&field, "before"))
                .hits(field.full_name(), affected)
                .at_least(Severity::Error)
                .help(format!(
                    "give it its number back:\n    {} {} = {};",
                    type_of(&now),
                    now.name(),
                    field.number()
                ));
            findings.push(finding);
        }
    }
    findings
}

/// FH3103.
pub(super) fn reserved_used(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        for field in new.fields() {
            let number = old.reserved_ranges().any(|range| range.contains(&field.number()));
            let name = old.reserved_names().any(|name| name == field.name());
            let what = match (number, name) {
                (true, _) => format!("number {}", field.number()),
                (false, true) => format!("the name `{}`", field.name()),
                _ => continue,
            };
            let affected = scope.affected(&[Target::Field(old.full_name(), field.number())], may_break);
            let text = format!("`{}` uses {what}, which was reserved", field.full_name());
            let finding = Finding::error(text)
                .mark(scope.new.at_field(&field, "used here"))
                .mark(scope.old.at_message(old, "reserved in here"))
                .hits(field.full_name(), affected)
                .at_least(Severity::Error)
                .help(format!("take a free number and another name, {} for example", free_number(&new)));
            findings.push(finding);
        }
    }
    for (old, new) in scope.enum_pairs() {
        for value in new.values() {
            let number = old.reserved_ranges().any(|range| range.contains(&value.number()));
            let name = old.reserved_names().any(|name| name == value.name());
            if !number && !name {
                continue;
            }
            let element = format!("{}.{}", old.full_name(), value.name());
            let affected = scope.affected(&[Target::Type(old.full_name())], may_break);
            let at = declared_at(&new, value.name()).unwrap_or_default();
            let what = if number { format!("number {}", value.number()) } else { "a name".to_owned() };
            let finding = Finding::error(format!("`{element}` uses {what} that was reserved"))
                .mark(scope.new.at_value(&new, at, "used here"))
                .mark(scope.old.at_enum(old, "reserved in here"))
                .hits(&element, affected)
                .at_least(Severity::Error)
                .help("take a free number and another name");
            findings.push(finding);
        }
    }
    findings
}

/// FH3104.
pub(super) fn reserved_dropped(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let inclusive = |ranges: &mut dyn Iterator<Item = std::ops::Range<u32>>| {
            let signed = |number: u32| i64::from(number);
            ranges.map(|range| signed(range.start)..=signed(range.end) - 1).collect::<Vec<_>>()
        };
        let (was, is) = (inclusive(&mut old.reserved_ranges()), inclusive(&mut new.reserved_ranges()));
        let used: Vec<i64> = new.fields().map(|field| i64::from(field.number())).collect();
        let names = dropped_names(old.reserved_names(), &new.reserved_names().collect::<Vec<_>>(), |name| {
            new.get_field_by_name(name).is_some()
        });
        let dropped = [dropped(&was, &is, &used), names].concat();
        let marks = vec![
            scope.new.at_message(&new, "no longer reserved in here"),
            scope.old.at_message(old, "reserved in here"),
        ];
        findings.extend(dropped_finding(scope, old.full_name(), &dropped, marks));
    }
    for (old, new) in scope.enum_pairs() {
        let inclusive = |ranges: &mut dyn Iterator<Item = RangeInclusive<i32>>| {
            ranges.map(|range| i64::from(*range.start())..=i64::from(*range.end())).collect::<Vec<_>>()
        };
        let (was, is) = (inclusive(&mut old.reserved_ranges()), inclusive(&mut new.reserved_ranges()));
        let used: Vec<i64> = new.values().map(|value| i64::from(value.number())).collect();
        let names = dropped_names(old.reserved_names(), &new.reserved_names().collect::<Vec<_>>(), |name| {
            new.get_value_by_name(name).is_some()
        });
        let dropped = [dropped(&was, &is, &used), names].concat();
        let marks = vec![
            scope.new.at_enum(&new, "no longer reserved in here"),
            scope.old.at_enum(old, "reserved in here"),
        ];
        findings.extend(dropped_finding(scope, old.full_name(), &dropped, marks));
    }
    findings
}

/// FH3105.
pub(super) fn values_renumbered(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.enum_pairs() {
        for value in old.values() {
            let (name, number) = (value.name(), value.number());
            let Some(now) = new.get_value_by_name(name).filter(|now| now.number() != number) else {
                continue;
            };
            let text = format!("was number {number}, and is {}", now.number());
            let finding = value_finding(scope, old, &new, (name, now.name()), &text, breaks);
            let help = format!("give it its number back:\n    {name} = {number};");
            findings.push(finding.at_least(Severity::Error).help(help));
        }
    }
    findings
}

/// FH3106.
pub(super) fn values_renamed(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.enum_pairs() {
        for value in old.values().filter(|value| new.get_value_by_name(value.name()).is_none()) {
            let (name, number) = (value.name(), value.number());
            let Some(now) = new.get_value(number) else { continue };
            let text = format!("is called `{}` now: by wire the same, by JSON not", now.name());
            let finding = value_finding(scope, old, &new, (name, now.name()), &text, |exposure| {
                Some(if exposure.way == Way::Taken { Verdict::PotentiallyAffected } else { Verdict::Broken })
            });
            let help = format!("give it its name back:\n    {name} = {number};");
            findings.extend(Some(finding.help(help)).filter(|finding| scope.tells(finding)));
        }
    }
    findings
}

fn value_finding(
    scope: &Scope<'_>,
    old: &EnumDescriptor,
    new: &EnumDescriptor,
    (was, is): (&str, &str),
    text: &str,
    judge: fn(&Exposure<'_>) -> Option<Verdict>,
) -> Finding {
    let element = format!("{}.{was}", old.full_name());
    let affected = scope.affected(&[Target::Type(old.full_name())], judge);
    Finding::error(format!("`{element}` {text}"))
        .mark(scope.new.at_value(new, declared_at(new, is).unwrap_or_default(), "now"))
        .mark(scope.old.at_value(old, declared_at(old, was).unwrap_or_default(), "before"))
        .hits(element, affected)
}

/// What was reserved and is neither reserved nor used: ranges as they are written.
fn dropped(was: &[RangeInclusive<i64>], is: &[RangeInclusive<i64>], used: &[i64]) -> Vec<String> {
    let mut gaps = Vec::new();
    for range in was {
        let mut start = *range.start();
        while start <= *range.end() {
            if let Some(cover) = is.iter().find(|cover| cover.contains(&start)) {
                start = cover.end().saturating_add(1);
                continue;
            }
            let starts = is.iter().map(|cover| *cover.start()).filter(|next| *next > start);
            let end = starts.min().map_or(*range.end(), |next| (*range.end()).min(next - 1));
            let only_used = start == end && used.contains(&start);
            match start == end {
                _ if only_used => {}
                true => gaps.push(start.to_string()),
                false => gaps.push(format!("{start} to {end}")),
            }
            start = end.saturating_add(1);
        }
    }
    gaps
}

/// A name that is used is told as that.
fn dropped_names<'n>(
    was: impl Iterator<Item = &'n str>,
    is: &[&str],
    is_used: impl Fn(&str) -> bool,
) -> Vec<String> {
    was.filter(|name| !is.contains(name) && !is_used(name)).map(|name| format!("\"{name}\"")).collect()
}

fn dropped_finding(
    scope: &Scope<'_>,
    element: &str,
    dropped: &[String],
    marks: Vec<Mark>,
) -> Option<Finding> {
    if dropped.is_empty() {
        return None;
    }
    let affected = scope.affected(&[Target::Type(element)], may_break);
    let text = format!("`{element}` no longer reserves {}", dropped.join(", "));
    let mut finding = Finding::error(text);
    for mark in marks {
        finding = finding.mark(mark);
    }
    let lines = dropped.iter().map(|what| format!("\n    reserved {what};"));
    let help = format!(
        "put it back, for what was there is still stored, and still sent:{}",
        lines.collect::<String>()
    );
    Some(finding.hits(element, affected).at_least(Severity::Error).help(help))
}

/// A number that nothing of the message uses or reserves.
fn free_number(message: &MessageDescriptor) -> u32 {
    let used = message.fields().map(|field: FieldDescriptor| field.number()).max().unwrap_or_default();
    let reserved =
        message.reserved_ranges().map(|range| range.end.saturating_sub(1)).max().unwrap_or_default();
    used.max(reserved).saturating_add(1)
}
