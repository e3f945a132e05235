//! A field as descriptors say it, to a field as it behaves: cardinality, kind and string checks, features resolved.

use std::collections::HashSet;

use super::elements::{Cardinality, Field, Kind};
use super::features::{CppString, Features, Presence};
use super::flatten::Scope;
use super::proto;

const LABEL_REQUIRED: i32 = 2;
const LABEL_REPEATED: i32 = 3;

/// What a field is part of.
struct Surroundings<'a> {
    is_extension: bool,
    in_map_entry: bool,
    oneofs: &'a [proto::Oneof],
    /// The full names of the map entries of its message.
    entries: &'a HashSet<String>,
}

pub(super) fn of_message(
    scope: &Scope,
    from: Vec<proto::Field>,
    oneofs: &[proto::Oneof],
    entries: &HashSet<String>,
    in_map_entry: bool,
) -> Result<Vec<Field>, String> {
    let around = Surroundings { is_extension: false, in_map_entry, oneofs, entries };
    from.into_iter().map(|from| field(scope, from, &around)).collect()
}

pub(super) fn extension(scope: &Scope, from: proto::Field) -> Result<Field, String> {
    let entries = HashSet::new();
    let around = Surroundings { is_extension: true, in_map_entry: false, oneofs: &[], entries: &entries };
    field(scope, from, &around)
}

/// The names of the oneofs that somebody wrote. The compiler makes one for each `optional` of proto3, with that field
/// alone in it.
pub(super) fn written_oneofs(fields: &[Field], oneofs: &[proto::Oneof]) -> Vec<String> {
    let written: HashSet<&str> = fields.iter().filter_map(|field| field.oneof.as_deref()).collect();
    let names = oneofs.iter().map(|oneof| &oneof.name);
    names.filter(|name| written.contains(name.as_str())).cloned().collect()
}

/// A type's name as it is used as a key; descriptors put a dot before it.
pub(super) fn without_dot(name: &str) -> String {
    name.strip_prefix('.').unwrap_or(name).to_owned()
}

fn field(scope: &Scope, from: proto::Field, around: &Surroundings) -> Result<Field, String> {
    if from.name.is_empty() {
        return Err(format!("the field {} has no name", from.number));
    }
    let oneof = match from.oneof_index {
        Some(index) => Some(
            usize::try_from(index)
                .ok()
                .and_then(|index| around.oneofs.get(index))
                .ok_or_else(|| format!("the field `{}` is in a oneof that is not there", from.name))?,
        ),
        None => None,
    };
    let said = oneof.and_then(|oneof| oneof.options.as_ref()).and_then(|options| options.features.as_ref());
    let options = from.options.unwrap_or_default();
    let features = scope.features.within(said).within(options.features.as_ref());
    let type_name = without_dot(&from.type_name);
    let is_map = from.label == LABEL_REPEATED && around.entries.contains(&type_name);
    let kind = match Kind::read(from.r#type) {
        Kind::Message if features.delimited && !is_map && !around.in_map_entry => Kind::Group,
        kind => kind,
    };
    // What is in the entry of a map is always there.
    let is_sure = around.is_extension || around.in_map_entry;
    let keeps_presence = is_sure || oneof.is_some() || kind.is_message();
    Ok(Field {
        number: from.number,
        cardinality: cardinality(from.label, is_map, keeps_presence, features),
        says_required: from.label == LABEL_REQUIRED,
        default: from.default_value,
        json_name: if from.json_name.is_empty() { json_name(&from.name) } else { from.json_name },
        oneof: oneof.filter(|_| !from.proto3_optional).map(|oneof| oneof.name.clone()),
        jstype: options.jstype,
        packed: options.packed.unwrap_or(features.packed),
        cpp_string: cpp_string(options.ctype, features),
        verifies_utf8: features.verifies_utf8,
        java_verifies_utf8: features.verifies_utf8 || features.java_verifies || scope.java_checks,
        name: from.name,
        kind,
        type_name,
    })
}

fn cardinality(label: i32, is_map: bool, keeps_presence: bool, features: Features) -> Cardinality {
    match (label, features.presence) {
        (LABEL_REPEATED, _) if is_map => Cardinality::Map,
        (LABEL_REPEATED, _) => Cardinality::Repeated,
        (LABEL_REQUIRED, _) | (_, Presence::Required) => Cardinality::Required,
        (_, Presence::Implicit) if !keeps_presence => Cardinality::Implicit,
        _ => Cardinality::Explicit,
    }
}

/// The older option wins over the feature that replaces it.
fn cpp_string(ctype: Option<i32>, features: Features) -> CppString {
    match ctype {
        Some(0) => CppString::String,
        Some(1) => CppString::Cord,
        Some(2) => CppString::StringPiece,
        _ => features.cpp_string,
    }
}

/// The name in JSON of a field that does not say one: each underscore goes, and the letter behind it is a capital.
fn json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut capital = false;
    for letter in name.chars() {
        if letter == '_' {
            capital = true;
        } else {
            json.push(if capital { letter.to_ascii_uppercase() } else { letter });
            capital = false;
        }
    }
    json
}
