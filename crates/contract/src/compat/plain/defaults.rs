//! What a field is where nobody set it.
//!
//! A default that is not written is the zero of the type, and an enum's first value. Numbers of all types are compared as
//! numbers, text and bytes as bytes, and all zeros are alike, so that a type that changes is not told twice.

use super::change::{Change, FieldPair, Tree};
use super::fields::breach;
use super::report::{Breach, Report};
use crate::schema::{Cardinality, Field, Kind};

/// The tag of `default_value`.
const DEFAULT: &[i32] = &[7];

/// A default value.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Integer(i128),
    Float(f32),
    Double(f64),
    Bytes(Vec<u8>),
}

pub(super) fn same_default(change: &Change, pair: &FieldPair, report: &mut Report) {
    let before = default_of(&change.previous, pair.before.field);
    let now = default_of(&change.current, pair.now.field);
    let (Some(before), Some(now)) = (before, now) else { return };
    if !same(&before, &now) {
        // Two compilers write one number in two ways.
        let shown = |field: &Field, value: &Value| match (value, &field.default) {
            (Value::Integer(_) | Value::Bytes(_), Some(written)) => written.clone(),
            _ => show(value),
        };
        let message = format!(
            "the default changed from `{}` to `{}`",
            shown(pair.before.field, &before),
            shown(pair.now.field, &now)
        );
        let help = "keep the default: whoever leaves the field out means the old one".to_owned();
        report.add(Breach { help, ..breach(pair, &[DEFAULT], message) });
    }
}

/// None for what has no default: messages, and fields that are there any number of times.
fn default_of(tree: &Tree, field: &Field) -> Option<Value> {
    if field.kind.is_message() || matches!(field.cardinality, Cardinality::Repeated | Cardinality::Map) {
        return None;
    }
    let text = field.default.as_deref();
    Some(match field.kind {
        Kind::String => Value::Bytes(text.unwrap_or_default().as_bytes().to_vec()),
        Kind::Bytes => Value::Bytes(unescape(text.unwrap_or_default())),
        Kind::Bool => Value::Integer(i128::from(text == Some("true"))),
        Kind::Float => Value::Float(text.and_then(|text| text.parse().ok()).unwrap_or_default()),
        Kind::Double => Value::Double(text.and_then(|text| text.parse().ok()).unwrap_or_default()),
        Kind::Enum => {
            let values = tree.of_enum(&field.type_name).map(|of| &of.values);
            let mut values = values.into_iter().flatten();
            let value = match text {
                Some(name) => values.find(|value| value.name == name),
                None => values.next(),
            };
            Value::Integer(value.map_or(0, |value| value.number.into()))
        }
        _ => Value::Integer(text.and_then(|text| text.parse().ok()).unwrap_or_default()),
    })
}

fn same(before: &Value, now: &Value) -> bool {
    if is_zero(before) && is_zero(now) {
        return true;
    }
    match (before, now) {
        (Value::Integer(before), Value::Integer(now)) => before == now,
        (Value::Bytes(before), Value::Bytes(now)) => before == now,
        (Value::Float(before), Value::Float(now)) => same_number((*before).into(), (*now).into()),
        (Value::Double(before), Value::Double(now)) => same_number(*before, *now),
        (Value::Float(float), Value::Double(double)) | (Value::Double(double), Value::Float(float)) => {
            same_number((*float).into(), narrow(*double).into())
        }
        (Value::Integer(integer), Value::Float(float)) | (Value::Float(float), Value::Integer(integer)) => {
            is_exactly(*integer, (*float).into())
        }
        (Value::Integer(integer), Value::Double(double))
        | (Value::Double(double), Value::Integer(integer)) => is_exactly(*integer, *double),
        (Value::Bytes(_), _) | (_, Value::Bytes(_)) => false,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a double that becomes a float is rounded: that is asked for"
)]
fn narrow(double: f64) -> f32 {
    double as f32
}

/// No number is its own equal only in arithmetic.
#[expect(clippy::float_cmp, reason = "a default is the same or it is not")]
fn same_number(before: f64, now: f64) -> bool {
    before == now || before.is_nan() && now.is_nan()
}

/// Whether a float is that integer and nothing besides.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the range saturates, and no integer is there"
)]
fn is_exactly(integer: i128, float: f64) -> bool {
    float.fract() == 0.0 && float as i128 == integer
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Integer(integer) => *integer == 0,
        Value::Float(float) => *float == 0.0,
        Value::Double(double) => *double == 0.0,
        Value::Bytes(bytes) => bytes.is_empty(),
    }
}

/// How a value that nobody wrote is shown.
fn show(value: &Value) -> String {
    match value {
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Double(double) => double.to_string(),
        Value::Bytes(bytes) => format!("\"{}\"", bytes.escape_ascii()),
    }
}

/// The bytes of a default that descriptors write with the escapes of C. What is no escape stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, taken) = escape(rest);
        bytes.push(byte);
        rest = rest.get(taken..).unwrap_or_default();
    }
    bytes
}

/// The byte behind a backslash, and how many bytes it is written with.
fn escape(rest: &[u8]) -> (u8, usize) {
    let digits = |radix: u32, from: usize, most: usize| {
        let digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let digits = rest.iter().skip(from).take(most).take_while(digit);
        digits.fold((0u32, 0usize), |(value, taken), byte| {
            (value * radix + char::from(*byte).to_digit(radix).unwrap_or_default(), taken + 1)
        })
    };
    let byte = |value: u32| u8::try_from(value & 0xff).unwrap_or_default();
    match rest.first() {
        Some(b'n') => (b'\n', 1),
        Some(b'r') => (b'\r', 1),
        Some(b't') => (b'\t', 1),
        Some(b'a') => (7, 1),
        Some(b'b') => (8, 1),
        Some(b'f') => (12, 1),
        Some(b'v') => (11, 1),
        Some(b'x' | b'X') => {
            let (value, taken) = digits(16, 1, 2);
            (byte(value), taken + 1)
        }
        Some(b'0'..=b'7') => {
            let (value, taken) = digits(8, 0, 3);
            (byte(value), taken)
        }
        Some(other) => (*other, 1),
        None => (b'\\', 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_with_the_escapes_of_c() {
        assert_eq!(unescape(r#"a\001\x41\n\"\\\377"#), b"a\x01A\n\"\\\xff");
        assert_eq!(unescape(r"\"), b"\\");
    }

    #[test]
    fn numbers_are_the_same_when_nothing_is_lost_between_them() {
        assert!(same(&Value::Integer(7), &Value::Double(7.0)));
        assert!(!same(&Value::Integer(16_777_217), &Value::Float(16_777_216.0)));
        assert!(!same(&Value::Integer(i128::from(u64::MAX)), &Value::Integer(-1)));
        assert!(same(&Value::Float(0.1), &Value::Double(0.1)));
        assert!(same(&Value::Double(f64::NAN), &Value::Float(f32::NAN)));
        assert!(same(&Value::Double(-0.0), &Value::Bytes(Vec::new())), "zeros of all types are alike");
    }
}
