//! Checks on fields: each limit fits the type it limits, and a secret stands where it is kept.

use prost_reflect::{FieldDescriptor, Kind};

use super::scope::{Scope, is_entity, is_event, type_of};
use crate::finding::Finding;
use crate::language::{self, number};

const MIN: i32 = 2;
const MAX: i32 = 3;
const MAX_LENGTH: i32 = 4;
const MAX_ITEMS: i32 = 5;
const PRIVATE: i32 = 6;

/// FH4201.
pub(super) fn misplaced_limit(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in fields(scope) {
        let rules = language::field_rules(&field);
        let limits = [
            ("min", MIN, rules.min.is_some(), is_number(&field), "a number"),
            ("max", MAX, rules.max.is_some(), is_number(&field), "a number"),
            ("max_length", MAX_LENGTH, rules.max_length.is_some(), has_length(&field), "a string or bytes"),
            (
                "max_items",
                MAX_ITEMS,
                rules.max_items.is_some(),
                field.is_list() || field.is_map(),
                "repeated or a map",
            ),
        ];
        for (limit, tag, _, _, wanted) in limits.into_iter().filter(|(_, _, set, fits, _)| *set && !*fits) {
            let message =
                format!("`{limit}` limits a field that is {wanted}, and `{}` is not", field.full_name());
            let finding = Finding::error(message).at(
                scope.places.field_option(&field, &[number::FIELD, tag]),
                format!("on `{}`", type_of(&field)),
            );
            findings.push(finding.help(fitting(&field)));
        }
    }
    findings
}

/// FH4202.
pub(super) fn empty_range(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in fields(scope) {
        let rules = language::field_rules(&field);
        let (Some(min), Some(max)) = (rules.min, rules.max) else { continue };
        if min > max {
            let finding = Finding::error(format!(
                "no value of `{}` is both at least {min} and at most {max}",
                field.full_name()
            ))
            .at(scope.places.field_option(&field, &[number::FIELD, MIN]), "")
            .at(scope.places.field_option(&field, &[number::FIELD, MAX]), "");
            findings.push(finding.help(format!(
                "write\n    [(freehold.v1.field).min = {max}, (freehold.v1.field).max = {min}]"
            )));
        }
    }
    findings
}

/// FH4203. Only the fields of entities and events are held back when they are shared.
pub(super) fn unkept_secret(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for message in scope.messages().filter(|message| !is_entity(message) && !is_event(message)) {
        for field in message.fields().filter(|field| language::field_rules(field).private) {
            let finding =
                Finding::error(format!("`{}` is private, but nothing keeps it so", field.full_name())).at(
                    scope.places.field_option(&field, &[number::FIELD, PRIVATE]),
                    "in neither an entity nor an event",
                );
            findings.push(finding.help(
                "only fields of entities and events are held back; make the field private that holds this message there:\n    \
                 [(freehold.v1.field).private = true]",
            ));
        }
    }
    findings
}

fn fields<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = FieldDescriptor> + 'a {
    scope.messages().flat_map(|message| message.fields())
}

fn is_number(field: &FieldDescriptor) -> bool {
    let number =
        !matches!(field.kind(), Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Enum(_));
    number && !field.is_list()
}

fn has_length(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::String | Kind::Bytes)
}

/// The limits that this field can have.
fn fitting(field: &FieldDescriptor) -> &'static str {
    if field.is_list() && has_length(field) {
        "this field can be limited by\n    [(freehold.v1.field).max_items = 100, (freehold.v1.field).max_length = 100]"
    } else if field.is_list() || field.is_map() {
        "this field can be limited by\n    [(freehold.v1.field).max_items = 100]"
    } else if is_number(field) {
        "this field can be limited by\n    [(freehold.v1.field).min = 0, (freehold.v1.field).max = 100]"
    } else if has_length(field) {
        "this field can be limited by\n    [(freehold.v1.field).max_length = 100]"
    } else {
        "remove the limit; a field of this type can only be\n    [(freehold.v1.field).required = true]"
    }
}
