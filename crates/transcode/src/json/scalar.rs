//! Numbers, texts, bytes and enum values as Protobuf's JSON mapping has them, within the ranges of their types.
//!
//! An integer may stand in a string, since JavaScript keeps no 64 bits of one; an enum value goes by its name or its
//! number, also one that this version of the contract does not know.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{EnumDescriptor, Kind, Value};
use serde_json::Number;

use super::tree::Json;
use crate::near::nearest;

/// Reads a value of a kind that is no message.
///
/// # Errors
/// What is wrong with it: "must be an integer, is a list".
pub(crate) fn read(kind: &Kind, json: Json) -> Result<Value, String> {
    match kind {
        Kind::Double => float(&json).map(Value::F64),
        Kind::Float => float(&json).and_then(narrow).map(Value::F32),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(&json).map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(&json).map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => integer(&json).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => integer(&json).map(Value::U64),
        Kind::Enum(of) => enum_value(of, &json).map(Value::EnumNumber),
        Kind::Bool => match json {
            Json::Bool(value) => Ok(Value::Bool(value)),
            other => Err(not("a boolean", &other)),
        },
        Kind::String => match json {
            Json::Text(value) => Ok(Value::String(value)),
            other => Err(not("a string", &other)),
        },
        Kind::Bytes => match json {
            Json::Text(value) => bytes(&value).map(|bytes| Value::Bytes(bytes.into())),
            other => Err(not("a string of base64", &other)),
        },
        Kind::Message(_) => Err(not("an object", &json)),
    }
}

fn not(wanted: &str, json: &Json) -> String {
    format!("must be {wanted}, is {}", json.kind())
}

fn integer<T: TryFrom<i128>>(json: &Json) -> Result<T, String> {
    let whole = match json {
        Json::Number(number) => whole(number).ok_or("must be an integer, has a fraction")?,
        Json::Text(text) => whole_text(text).ok_or("must be an integer, is a string of something else")?,
        other => return Err(not("an integer", other)),
    };
    T::try_from(whole).map_err(|_| format!("is out of range: {whole}"))
}

fn whole_text(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() <= 20 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    // "1e3" and "1.0" are integers too.
    whole(&serde_json::from_str(text).ok()?)
}

fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i128() {
        return Some(whole);
    }
    let float = number.as_f64()?;
    // Casting stays within the bounds of the target, which are far beyond every field's.
    (float.fract() == 0.0).then_some(float as i128)
}

fn float(json: &Json) -> Result<f64, String> {
    match json {
        Json::Number(number) => number.as_f64().ok_or_else(|| "is out of range".to_owned()),
        Json::Text(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            text => serde_json::from_str(text)
                .map_err(|_| "must be a number, is a string of something else".to_owned()),
        },
        other => Err(not("a number", other)),
    }
}

fn narrow(wide: f64) -> Result<f32, String> {
    let narrow = wide as f32;
    if narrow.is_infinite() && wide.is_finite() {
        return Err(format!("is out of range: {wide}"));
    }
    Ok(narrow)
}

fn enum_value(of: &EnumDescriptor, json: &Json) -> Result<i32, String> {
    match json {
        Json::Text(name) => match of.get_value_by_name(name) {
            Some(value) => Ok(value.number()),
            None => Err(no_value(of, name)),
        },
        Json::Number(_) => integer(json),
        Json::Null if of.full_name() == "google.protobuf.NullValue" => Ok(0),
        other => Err(not("the name or the number of an enum value", other)),
    }
}

fn no_value(of: &EnumDescriptor, name: &str) -> String {
    let values: Vec<_> = of.values().collect();
    match nearest(name, values.iter().map(|value| (value.name(), value.name()))) {
        Some(near) => format!("is no value of {}; did you mean {near}?", of.full_name()),
        None => format!("is no value of {}", of.full_name()),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    const fn of(alphabet: &Alphabet) -> GeneralPurpose {
        let any_padding =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, any_padding)
    }
    const PLAIN: GeneralPurpose = of(&STANDARD);
    const IN_URLS: GeneralPurpose = of(&URL_SAFE);
    let engine = if text.contains(['-', '_']) { IN_URLS } else { PLAIN };
    engine.decode(text).map_err(|_| "must be base64".to_owned())
}
