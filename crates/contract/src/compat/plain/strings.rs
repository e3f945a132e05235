//! How a string is kept in C++ and whether it is checked to be UTF-8.

use super::change::{Change, FieldPair};
use super::fields::breach;
use super::report::{Breach, Report};
use crate::schema::{CppString, Kind};

/// The tags in `FieldDescriptorProto` and `FileDescriptorProto`.
const CTYPE: &[i32] = &[8, 1];
const CPP_STRING_TYPE: &[i32] = &[8, 21, 1000, 2];
const UTF8_VALIDATION: &[i32] = &[8, 21, 4];
const JAVA_UTF8_VALIDATION: &[i32] = &[8, 21, 1001, 2];
const JAVA_STRING_CHECK_UTF8: &[i32] = &[8, 27];

/// The entry of a map cannot say it, so it does not count.
pub(super) fn cpp_string_type(_: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (pair.before.field, pair.now.field);
    let is_text = |kind: Kind| matches!(kind, Kind::String | Kind::Bytes);
    if pair.in_map_entry || !is_text(before.kind) || !is_text(now.kind) {
        return;
    }
    if before.cpp_string != now.cpp_string {
        let message = format!(
            "its type in C++ changed from {} to {}",
            cpp_string(before.cpp_string),
            cpp_string(now.cpp_string)
        );
        report.add(breach(pair, &[CTYPE, CPP_STRING_TYPE], message));
    }
}

fn cpp_string(of: CppString) -> &'static str {
    match of {
        CppString::String => "STRING",
        CppString::Cord => "CORD",
        CppString::StringPiece => "STRING_PIECE",
        CppString::View => "VIEW",
    }
}

pub(super) fn utf8_validation(_: &Change, pair: &FieldPair, report: &mut Report) {
    if are_strings(pair) && pair.before.field.verifies_utf8 != pair.now.field.verifies_utf8 {
        let message = verified("", pair.now.field.verifies_utf8);
        report.add(breach(pair, &[UTF8_VALIDATION], message));
    }
}

pub(super) fn java_utf8_validation(_: &Change, pair: &FieldPair, report: &mut Report) {
    let (before, now) = (pair.before.field.java_verifies_utf8, pair.now.field.java_verifies_utf8);
    if !are_strings(pair) || before == now {
        return;
    }
    let said = pair.now.file.written(&pair.now.path(JAVA_UTF8_VALIDATION));
    let place = said.or_else(|| pair.now.file.written(JAVA_STRING_CHECK_UTF8));
    let breach = breach(pair, &[], verified(" in Java", now));
    report.add(Breach { now: place.or(breach.now), ..breach });
}

fn are_strings(pair: &FieldPair) -> bool {
    pair.before.field.kind == Kind::String && pair.now.field.kind == Kind::String
}

fn verified(whereabouts: &str, now: bool) -> String {
    if now {
        format!("the string is checked to be UTF-8{whereabouts} now, and was not")
    } else {
        format!("the string is no longer checked to be UTF-8{whereabouts}")
    }
}
