//! A tree read against the descriptor of a message: its members are its fields, and nothing else.
//!
//! All that is wrong is told, not only what comes first. Protobuf's own types have mappings of their own, which
//! `prost-reflect` knows.

use std::collections::{BTreeSet, HashMap};

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::Value as Plain;

use super::scalar;
use super::tree::Json;
use crate::near::nearest;
use crate::problems::Problems;

/// Reads a message; where something is wrong, what could be read of it.
pub(crate) fn message(descriptor: &MessageDescriptor, json: Json, problems: &mut Problems) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if is_well_known(descriptor) {
        match DynamicMessage::deserialize(descriptor.clone(), plain(json)) {
            Ok(read) => return read,
            Err(error) => problems.add(format!("is no {}: {error}", descriptor.full_name())),
        }
        return message;
    }
    let Json::Object(members) = json else {
        problems.add(format!("must be an object, is {}", json.kind()));
        return message;
    };
    let mut given = BTreeSet::new();
    for (name, value) in members {
        if problems.are_enough() {
            break;
        }
        problems.within(&name, |problems| member(&mut message, &name, value, &mut given, problems));
    }
    message
}

/// Reads the value of a field; nothing where something is wrong, or where it is null, which stands for no value.
pub(crate) fn field(field: &FieldDescriptor, json: Json, problems: &mut Problems) -> Option<Value> {
    if json == Json::Null && !takes_null(&field.kind()) {
        return None;
    }
    match json {
        Json::Object(members) if field.is_map() => Some(map(field, members, problems)),
        Json::List(items) if field.is_list() => Some(list(&field.kind(), items, problems)),
        other if field.is_map() || field.is_list() => {
            let wanted = if field.is_map() { "an object" } else { "a list" };
            problems.add(format!("must be {wanted}, is {}", other.kind()));
            None
        }
        single => value(&field.kind(), single, problems),
    }
}

fn member(
    message: &mut DynamicMessage,
    name: &str,
    json: Json,
    given: &mut BTreeSet<u32>,
    problems: &mut Problems,
) {
    let descriptor = message.descriptor();
    let Some(known) = find(&descriptor, name) else { return problems.add(unknown(&descriptor, name)) };
    if !given.insert(known.number()) {
        return problems.add("is given twice, under both of its names");
    }
    let Some(value) = field(&known, json, problems) else { return };
    match other_of_its_oneof(message, &known) {
        Some(other) => problems.add(format!("cannot be given together with {other}")),
        None => message.set_field(&known, value),
    }
}

/// The field of that name, as JSON or as the contract spells it.
pub(crate) fn find(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name))
}

/// What is said of a name that no field has.
pub(crate) fn unknown(descriptor: &MessageDescriptor, name: &str) -> String {
    let fields: Vec<_> = descriptor.fields().collect();
    let message = descriptor.full_name();
    match nearest(name, fields.iter().map(|field| (field.json_name(), field.json_name()))) {
        Some(near) => format!("is no field of {message}; did you mean {near}?"),
        None => format!("is no field of {message}"),
    }
}

/// The member of the field's oneof that has a value already.
pub(crate) fn other_of_its_oneof(message: &DynamicMessage, field: &FieldDescriptor) -> Option<String> {
    let mut members = field.containing_oneof()?.fields().collect::<Vec<_>>().into_iter();
    let other = members.find(|member| member != field && message.has_field(member))?;
    Some(other.json_name().to_owned())
}

/// Reads a single value: of a field, or of an item of a list or a map.
pub(crate) fn value(kind: &Kind, json: Json, problems: &mut Problems) -> Option<Value> {
    match kind {
        Kind::Message(descriptor) if json == Json::Null && !takes_null(kind) => {
            problems.add(format!("must be {}, is null", wanted(descriptor)));
            None
        }
        Kind::Message(descriptor) => Some(Value::Message(message(descriptor, json, problems))),
        _ => scalar::read(kind, json).map_err(|problem| problems.add(problem)).ok(),
    }
}

fn list(kind: &Kind, items: Vec<Json>, problems: &mut Problems) -> Value {
    let mut values = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        if problems.are_enough() {
            break;
        }
        values.extend(problems.at(index, |problems| value(kind, item, problems)));
    }
    Value::List(values)
}

fn map(field: &FieldDescriptor, members: Vec<(String, Json)>, problems: &mut Problems) -> Value {
    let mut entries = HashMap::new();
    let kind = field.kind();
    let Some(entry) = kind.as_message() else { return Value::Map(entries) };
    let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    for (name, json) in members {
        if problems.are_enough() {
            break;
        }
        problems.at(&name, |problems| {
            let key = match key(&key_kind, &name) {
                Ok(key) if entries.contains_key(&key) => return problems.add("is given twice"),
                Ok(key) => key,
                Err(problem) => return problems.add(format!("its key {problem}")),
            };
            if let Some(value) = value(&value_kind, json, problems) {
                entries.insert(key, value);
            }
        });
    }
    Value::Map(entries)
}

fn key(kind: &Kind, name: &str) -> Result<MapKey, String> {
    let json = match (kind, name) {
        (Kind::Bool, "true") => Json::Bool(true),
        (Kind::Bool, "false") => Json::Bool(false),
        _ => Json::Text(name.to_owned()),
    };
    let value = scalar::read(kind, json)?;
    value.into_map_key().ok_or_else(|| "is of a type that no key has".to_owned())
}

/// Whether null is a value of that kind, rather than the want of one.
fn takes_null(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => message.full_name() == "google.protobuf.Value",
        Kind::Enum(of) => of.full_name() == "google.protobuf.NullValue",
        _ => false,
    }
}

/// Whether Protobuf has a mapping for that type alone.
pub(crate) fn is_well_known(descriptor: &MessageDescriptor) -> bool {
    const NAMES: &[&str] = &[
        "Any",
        "BoolValue",
        "BytesValue",
        "DoubleValue",
        "Duration",
        "Empty",
        "FieldMask",
        "FloatValue",
        "Int32Value",
        "Int64Value",
        "ListValue",
        "StringValue",
        "Struct",
        "Timestamp",
        "UInt32Value",
        "UInt64Value",
        "Value",
    ];
    descriptor.package_name() == "google.protobuf" && NAMES.contains(&descriptor.name())
}

fn wanted(descriptor: &MessageDescriptor) -> String {
    if is_well_known(descriptor) { format!("a {}", descriptor.full_name()) } else { "an object".to_owned() }
}

/// The same tree as others know it; its depth is bounded already.
fn plain(json: Json) -> Plain {
    match json {
        Json::Null => Plain::Null,
        Json::Bool(value) => Plain::Bool(value),
        Json::Number(value) => Plain::Number(value),
        Json::Text(value) => Plain::String(value),
        Json::List(items) => Plain::Array(items.into_iter().map(plain).collect()),
        Json::Object(members) => {
            Plain::Object(members.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
    }
}
