//! What a field holds and how often: the same, or the same on the wire and in JSON.
//!
//! What is alike on the wire and in JSON is taken from "Updating A Message Type" and "JSON Options" in Protobuf's
//! documentation, with the limits that the published checker sets.

use super::change::{Change, FieldPair};
use super::enums;
use super::fields::breach;
use super::report::{Breach, Report};
use crate::schema::{Cardinality, Field, Kind};

/// The tags of `type` and `type_name`.
const TYPE: &[&[i32]] = &[&[5], &[6]];

pub(super) fn same_type(_: &Change, pair: &FieldPair, report: &mut Report) {
    if !is_same(pair) {
        add_type(pair, "", report);
    }
}

pub(super) fn wire_type(change: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (pair.before.field.kind, pair.now.field.kind);
    // Text is bytes, but bytes need not be text.
    let alike = before != now && wire_group(before) == wire_group(now)
        || (before, now) == (Kind::String, Kind::Bytes);
    if !alike && !is_same(pair) && !holds_all_values(change, pair) {
        add_type(pair, " on the wire", report);
    }
}

pub(super) fn wire_json_type(change: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (pair.before.field.kind, pair.now.field.kind);
    let alike = before != now && json_group(before) == json_group(now);
    if !alike && !is_same(pair) && !holds_all_values(change, pair) {
        add_type(pair, " on the wire or in JSON", report);
    }
}

fn is_same(pair: &FieldPair) -> bool {
    let (before, now) = (pair.before.field, pair.now.field);
    before.kind == now.kind && (!before.kind.is_named() || before.type_name == now.type_name)
}

/// Kinds of one group are read from each other's bytes.
fn wire_group(kind: Kind) -> Kind {
    match kind {
        Kind::Int32 | Kind::Uint32 | Kind::Int64 | Kind::Uint64 | Kind::Bool => Kind::Int32,
        Kind::Sint32 | Kind::Sint64 => Kind::Sint32,
        Kind::Fixed32 | Kind::Sfixed32 => Kind::Fixed32,
        Kind::Fixed64 | Kind::Sfixed64 => Kind::Fixed64,
        other => other,
    }
}

/// Kinds of one group are read from each other's bytes and from each other's JSON.
fn json_group(kind: Kind) -> Kind {
    match kind {
        Kind::Int32 | Kind::Uint32 => Kind::Int32,
        Kind::Int64 | Kind::Uint64 => Kind::Int64,
        Kind::Fixed32 | Kind::Sfixed32 => Kind::Fixed32,
        Kind::Fixed64 | Kind::Sfixed64 => Kind::Fixed64,
        other => other,
    }
}

/// Whether a field's enum became one of the same short name that has all its values under their names: it moved.
fn holds_all_values(change: &Change, pair: &FieldPair) -> bool {
    let (before, now) = (pair.before.field, pair.now.field);
    if before.kind != Kind::Enum || now.kind != Kind::Enum || short(before) != short(now) {
        return false;
    }
    let before = change.previous.of_enum(&before.type_name);
    let (Some(before), Some(now)) = (before, change.current.of_enum(&now.type_name)) else { return false };
    let left = enums::by_number(now);
    let mut values = enums::by_number(before).into_iter();
    values.all(|(number, names)| left.get(&number).is_some_and(|left| names.is_subset(left)))
}

fn short(field: &Field) -> &str {
    field.type_name.rsplit('.').next().unwrap_or_default()
}

fn add_type(pair: &FieldPair, whereabouts: &str, report: &mut Report) {
    let (before, now) = (type_of(pair.before.field), type_of(pair.now.field));
    let message = if whereabouts.is_empty() {
        format!("the type changed from `{before}` to `{now}`")
    } else {
        format!("the type changed from `{before}` to `{now}`, which is another{whereabouts}")
    };
    let help = "add a field of the new type under a number of its own".to_owned();
    report.add(Breach { help, ..breach(pair, TYPE, message) });
}

fn type_of(field: &Field) -> String {
    match field.kind {
        Kind::Group => format!("group {}", field.type_name),
        Kind::Message | Kind::Enum => field.type_name.clone(),
        kind => format!("{kind:?}").to_lowercase(),
    }
}

pub(super) fn same_cardinality(_: &Change, pair: &FieldPair, report: &mut Report) {
    check_cardinality(pair, |cardinality| cardinality, report);
}

pub(super) fn wire_cardinality(_: &Change, pair: &FieldPair, report: &mut Report) {
    let on_the_wire = |cardinality| match cardinality {
        Cardinality::Implicit => Cardinality::Explicit,
        Cardinality::Map => Cardinality::Repeated,
        other => other,
    };
    check_cardinality(pair, on_the_wire, report);
}

pub(super) fn wire_json_cardinality(_: &Change, pair: &FieldPair, report: &mut Report) {
    let on_the_wire_and_in_json = |cardinality| match cardinality {
        Cardinality::Implicit => Cardinality::Explicit,
        other => other,
    };
    check_cardinality(pair, on_the_wire_and_in_json, report);
}

/// `group` says which cardinalities are as good as others.
fn check_cardinality(pair: &FieldPair, group: fn(Cardinality) -> Cardinality, report: &mut Report) {
    let (before, now) = (pair.before.field.cardinality, pair.now.field.cardinality);
    if group(before) != group(now) {
        let message = format!("the field was {} and is {} now", word(before), word(now));
        let help = "add a field under a number of its own".to_owned();
        report.add(Breach { help, ..breach(pair, &[], message) });
    }
}

fn word(cardinality: Cardinality) -> &'static str {
    match cardinality {
        Cardinality::Required => "required",
        Cardinality::Explicit => "optional",
        Cardinality::Implicit => "single without presence",
        Cardinality::Repeated => "repeated",
        Cardinality::Map => "a map",
    }
}
