//! What a message holds: fields, oneofs, reserved and extension numbers, what is required, and how its JSON is made.

use std::collections::HashSet;

use super::change::{Change, Pair};
use super::numbers;
use super::report::{Breach, Report};
use crate::schema::{Field, Message, Numbers};

/// The largest number of a field.
const MOST: i64 = 536_870_911;

/// The tags in `DescriptorProto` and `MessageOptions`.
const FIELD: i32 = 2;
const ACCESSOR: &[i32] = &[7, 2];
const JSON_FORMAT: &[i32] = &[7, 12, 6];

pub(super) fn fields(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    for (index, field) in gone(pair) {
        let help = "keep the field until nobody reads it; `[deprecated = true]` says so";
        report.add(field_gone(pair, index, field, "", help.to_owned()));
    }
}

pub(super) fn field_names(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    for (index, field) in gone(pair) {
        if !pair.now.reserved_names.contains(&field.name) {
            let help = format!("reserved \"{}\";", field.name);
            report.add(field_gone(pair, index, field, ", and its name is not reserved", help));
        }
    }
}

pub(super) fn field_numbers(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    for (index, field) in gone(pair) {
        if !numbers::hold(&pair.now.reserved, field.number) {
            let help = format!("reserved {};", field.number);
            report.add(field_gone(pair, index, field, ", and its number is not reserved", help));
        }
    }
}

fn gone<'a>(pair: &Pair<'a, Message>) -> Vec<(usize, &'a Field)> {
    let left: HashSet<i32> = pair.now.fields.iter().map(|field| field.number).collect();
    let fields = pair.before.fields.iter().enumerate();
    fields.filter(|(_, field)| !left.contains(&field.number)).collect()
}

fn field_gone(pair: &Pair<Message>, index: usize, field: &Field, and: &str, help: String) -> Breach {
    Breach {
        element: format!("{}.{}", pair.before.head.name, field.name),
        message: format!("the field `{}` = {} is gone{and}", field.name, field.number),
        now: Some(pair.now_file.place(&pair.now.head.path)),
        before: Some(pair.before_file.place(&field_path(pair.before, index))),
        help,
    }
}

fn field_path(message: &Message, index: usize) -> Vec<i32> {
    [&message.head.path, &[FIELD, i32::try_from(index).unwrap_or_default()][..]].concat()
}

/// A breach of the message as a whole.
fn breach(pair: &Pair<Message>, message: String, help: String) -> Breach {
    let (before, now) = pair.places(&pair.before.head.path, &pair.now.head.path);
    Breach { element: pair.now.head.name.clone(), message, now, before, help }
}

pub(super) fn oneofs(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    for oneof in pair.before.oneofs.iter().filter(|oneof| !pair.now.oneofs.contains(oneof)) {
        let message = format!("the oneof `{oneof}` is gone");
        let element = format!("{}.{oneof}", pair.before.head.name);
        report.add(Breach { element, ..breach(pair, message, String::new()) });
    }
}

pub(super) fn extension_ranges(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    for (range, missing) in shrunk(&pair.before.extensions, &pair.now.extensions) {
        let message =
            format!("of the numbers {range}, which were left to extensions, {missing} no longer are");
        report.add(breach(pair, message, format!("extensions {missing};")));
    }
}

pub(super) fn reserved(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    for (range, missing) in shrunk(&pair.before.reserved, &pair.now.reserved) {
        let message = format!("of the reserved numbers {range}, {missing} no longer are");
        report.add(breach(pair, message, format!("reserved {missing};")));
    }
    let left: HashSet<&String> = pair.now.reserved_names.iter().collect();
    for name in pair.before.reserved_names.iter().filter(|name| !left.contains(name)) {
        let message = format!("the name `{name}` is no longer reserved");
        report.add(breach(pair, message, format!("reserved \"{name}\";")));
    }
}

/// Each range that is not whole anymore, and what is missing of it, as they are written.
fn shrunk(before: &[Numbers], now: &[Numbers]) -> Vec<(String, String)> {
    let missing = before.iter().map(|range| (range, numbers::missing(*range, now)));
    let shrunk = missing.filter(|(_, missing)| !missing.is_empty());
    shrunk
        .map(|(range, missing)| (numbers::written(&[*range], MOST), numbers::written(&missing, MOST)))
        .collect()
}

pub(super) fn descriptor_accessor(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    if !pair.before.hides_descriptor && pair.now.hides_descriptor {
        let path = [&pair.now.head.path, ACCESSOR].concat();
        let message = "the standard accessor of the descriptor is gone".to_owned();
        let now = Some(pair.now_file.place(&path));
        report.add(Breach { now, ..breach(pair, message, String::new()) });
    }
}

pub(super) fn json_format(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    if pair.before.json && !pair.now.json {
        let path = [&pair.now.head.path, JSON_FORMAT].concat();
        let written = pair.now_file.written(&path);
        let now = written.unwrap_or_else(|| pair.now_file.place(&pair.now.head.path));
        let message = "its JSON was promised and is a best effort now".to_owned();
        report.add(Breach { now: Some(now), ..breach(pair, message, String::new()) });
    }
}

/// A required field is always sent and always wanted, so neither side may be the first to change it. The word counts;
/// the feature of that meaning does not, here as with the published checker.
pub(super) fn required_fields(_: &Change, pair: &Pair<Message>, report: &mut Report) {
    let required = |message: &Message| -> HashSet<i32> {
        let fields = message.fields.iter().filter(|field| field.says_required);
        fields.map(|field| field.number).collect()
    };
    let (before, now) = (required(pair.before), required(pair.now));
    for field in pair.before.fields.iter().filter(|field| before.contains(&field.number)) {
        if !now.contains(&field.number) {
            let message = format!("the field `{}` = {} is no longer required", field.name, field.number);
            let element = format!("{}.{}", pair.now.head.name, field.name);
            report.add(Breach { element, ..breach(pair, message, String::new()) });
        }
    }
    for (index, field) in pair.now.fields.iter().enumerate() {
        if now.contains(&field.number) && !before.contains(&field.number) {
            let message = format!("the field `{}` = {} is required now", field.name, field.number);
            let element = format!("{}.{}", pair.now.head.name, field.name);
            let place = Some(pair.now_file.place(&field_path(pair.now, index)));
            let help = "leave the field optional and check it in code".to_owned();
            report.add(Breach { element, now: place, ..breach(pair, message, help) });
        }
    }
}
