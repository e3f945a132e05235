//! What a field is called and where it belongs.

use super::change::{Change, FieldPair};
use super::report::{Breach, Report};
use crate::schema::Kind;

/// The tags in `FieldDescriptorProto`.
const NAME: &[i32] = &[1];
const JSON_NAME: &[i32] = &[10];
const JSTYPE: &[i32] = &[8, 6];

pub(super) fn same_name(_: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (&pair.before.field.name, &pair.now.field.name);
    if before != now {
        let message = format!("the field {} was named `{before}`, now `{now}`", pair.now.field.number);
        let help = "keep the name; JSON, generated code and whoever names the field depend on it";
        report.add(Breach { help: help.to_owned(), ..breach(pair, &[NAME], message) });
    }
}

/// An extension has none: JSON writes its full name in brackets.
pub(super) fn same_json_name(_: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (&pair.before.field.json_name, &pair.now.field.json_name);
    if before != now && !pair.is_extension {
        let message = format!("the name in JSON changed from `{before}` to `{now}`");
        let help = format!("[json_name = \"{before}\"]");
        report.add(Breach { help, ..breach(pair, &[JSON_NAME], message) });
    }
}

pub(super) fn same_jstype(_: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (pair.before.field, pair.now.field);
    if has_jstype(before.kind) && has_jstype(now.kind) && before.jstype != now.jstype {
        let message = format!("`jstype` changed from {} to {}", jstype(before.jstype), jstype(now.jstype));
        report.add(breach(pair, &[JSTYPE], message));
    }
}

fn has_jstype(kind: Kind) -> bool {
    matches!(kind, Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64)
}

fn jstype(number: i32) -> String {
    match number {
        0 => "JS_NORMAL".to_owned(),
        1 => "JS_STRING".to_owned(),
        2 => "JS_NUMBER".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn same_oneof(_: &Change, pair: &FieldPair, report: &mut Report) {
    let message = match (&pair.before.field.oneof, &pair.now.field.oneof) {
        (Some(before), Some(now)) if before != now => {
            format!("the field moved from the oneof `{before}` to `{now}`")
        }
        (Some(before), None) => format!("the field moved out of the oneof `{before}`"),
        (None, Some(now)) => format!("the field moved into the oneof `{now}`"),
        _ => return,
    };
    let help = "leave the field where it was and add another".to_owned();
    report.add(Breach { help, ..breach(pair, &[], message) });
}

/// At the first of the parts that is written, else at the field.
pub(super) fn breach(pair: &FieldPair, parts: &[&[i32]], message: String) -> Breach {
    Breach {
        element: pair.now.element(),
        message,
        now: Some(pair.now.place(parts)),
        before: Some(pair.before.place(parts)),
        help: String::new(),
    }
}
