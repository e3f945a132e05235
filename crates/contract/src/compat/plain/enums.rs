//! What an enum holds: its values by number, each under one name or several, and what it reserves.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::change::Pair;
use super::numbers;
use super::report::{Breach, Report};
use crate::schema::{Enum, Numbers};

/// The largest number of a value.
const MOST: i64 = i32::MAX as i64;

/// The tags in `EnumDescriptorProto`, `EnumOptions` and `EnumValueDescriptorProto`.
const VALUE: i32 = 2;
const NUMBER: i32 = 2;
const ENUM_TYPE: &[i32] = &[3, 7, 2];
const JSON_FORMAT: &[i32] = &[3, 7, 6];

type Values<'a> = BTreeMap<i32, BTreeSet<&'a str>>;

/// The names of every number.
pub(super) fn by_number(of: &Enum) -> Values<'_> {
    let mut values = Values::new();
    for value in &of.values {
        values.entry(value.number).or_default().insert(&value.name);
    }
    values
}

pub(super) fn values(pair: &Pair<Enum>, report: &mut Report) {
    for (number, names) in gone(pair) {
        let help = "keep the value until nobody sends it; `[deprecated = true]` says so";
        report.add(value_gone(pair, number, &names, "", help.to_owned()));
    }
}

pub(super) fn value_names(pair: &Pair<Enum>, report: &mut Report) {
    let reserved: HashSet<&str> = pair.now.reserved_names.iter().map(String::as_str).collect();
    for (number, names) in gone(pair) {
        let free: Vec<String> =
            names.iter().filter(|name| !reserved.contains(*name)).map(|name| format!("\"{name}\"")).collect();
        if !free.is_empty() {
            let help = format!("reserved {};", free.join(", "));
            report.add(value_gone(pair, number, &names, ", and its name is not reserved", help));
        }
    }
}

pub(super) fn value_numbers(pair: &Pair<Enum>, report: &mut Report) {
    for (number, names) in gone(pair) {
        if !numbers::hold(&pair.now.reserved, number) {
            let help = format!("reserved {number};");
            report.add(value_gone(pair, number, &names, ", and its number is not reserved", help));
        }
    }
}

fn gone<'a>(pair: &Pair<'a, Enum>) -> Values<'a> {
    let left: HashSet<i32> = pair.now.values.iter().map(|value| value.number).collect();
    let mut values = by_number(pair.before);
    values.retain(|number, _| !left.contains(number));
    values
}

fn value_gone(pair: &Pair<Enum>, number: i32, names: &BTreeSet<&str>, and: &str, help: String) -> Breach {
    let name = names.first().copied().unwrap_or_default();
    let index = pair.before.values.iter().position(|value| value.number == number).unwrap_or_default();
    Breach {
        element: format!("{}.{name}", pair.before.head.name),
        message: format!("the value `{}` = {number} is gone{and}", joined(names)),
        now: Some(pair.now_file.place(&pair.now.head.path)),
        before: Some(pair.before_file.place(&value_path(pair.before, index, &[]))),
        help,
    }
}

fn value_path(of: &Enum, index: usize, rest: &[i32]) -> Vec<i32> {
    [&of.head.path, &[VALUE, i32::try_from(index).unwrap_or_default()][..], rest].concat()
}

fn joined(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join("`, `")
}

/// Names may come, for JSON reads them all; a name that goes is told at each name that its number has now.
pub(super) fn same_names(pair: &Pair<Enum>, report: &mut Report) {
    let now = by_number(pair.now);
    for (number, before) in by_number(pair.before) {
        let Some(left) = now.get(&number).filter(|left| !before.is_subset(left)) else { continue };
        let first = pair.before.values.iter().position(|value| value.number == number).unwrap_or_default();
        for (index, value) in pair.now.values.iter().enumerate().filter(|(_, value)| value.number == number) {
            report.add(Breach {
                element: format!("{}.{}", pair.now.head.name, value.name),
                message: format!(
                    "the value {number} was named `{}`, now `{}`",
                    joined(&before),
                    joined(left)
                ),
                now: Some(pair.now_file.place(&value_path(pair.now, index, &[NUMBER]))),
                before: Some(pair.before_file.place(&value_path(pair.before, first, &[]))),
                help: "keep the name; a second one is an alias, with `option allow_alias = true`".to_owned(),
            });
        }
    }
}

pub(super) fn reserved(pair: &Pair<Enum>, report: &mut Report) {
    for range in &pair.before.reserved {
        let missing = numbers::missing(*range, &pair.now.reserved);
        if !missing.is_empty() {
            let (range, missing) = (written(&[*range]), written(&missing));
            let message = format!("of the reserved numbers {range}, {missing} no longer are");
            report.add(breach(pair, &[], message, format!("reserved {missing};")));
        }
    }
    let left: HashSet<&String> = pair.now.reserved_names.iter().collect();
    for name in pair.before.reserved_names.iter().filter(|name| !left.contains(name)) {
        let message = format!("the name `{name}` is no longer reserved");
        report.add(breach(pair, &[], message, format!("reserved \"{name}\";")));
    }
}

fn written(ranges: &[Numbers]) -> String {
    numbers::written(ranges, MOST)
}

pub(super) fn same_type(pair: &Pair<Enum>, report: &mut Report) {
    let word = |closed: bool| if closed { "closed" } else { "open" };
    if pair.before.closed != pair.now.closed {
        let message =
            format!("the enum was {} and is {} now", word(pair.before.closed), word(pair.now.closed));
        report.add(breach(pair, ENUM_TYPE, message, String::new()));
    }
}

pub(super) fn json_format(pair: &Pair<Enum>, report: &mut Report) {
    if pair.before.json && !pair.now.json {
        let message = "its JSON was promised and is a best effort now".to_owned();
        report.add(breach(pair, JSON_FORMAT, message, String::new()));
    }
}

/// At a part of the enum if that is written, else at the enum.
fn breach(pair: &Pair<Enum>, part: &[i32], message: String, help: String) -> Breach {
    let (before, now) = pair.places(&pair.before.head.path, &pair.now.head.path);
    let part = pair.now_file.written(&[&pair.now.head.path, part].concat());
    Breach { element: pair.now.head.name.clone(), message, now: part.or(now), before, help }
}
