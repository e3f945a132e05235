//! Messages and enums as JSON Schema: what a field takes, within the limits that the contract sets.
//!
//! A message becomes a schema of its own, under its full name, when something first refers to it. 64-bit integers are
//! strings in JSON, which no schema bounds: their limits are told in words.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::comments::Comments;
use super::limits::{FieldOption, Limits};
use crate::json::is_well_known;
use crate::schema::Schema;

/// The schemas of a document, as far as they have been referred to.
pub(crate) struct Schemas {
    comments: Comments,
    option: FieldOption,
    made: BTreeMap<String, Value>,
}

impl Schemas {
    pub(crate) fn new(schema: &Schema) -> Self {
        let (comments, option) = (Comments::of(schema.pool()), FieldOption::of(schema.pool()));
        Self { comments, option, made: BTreeMap::new() }
    }

    /// All that were made.
    pub(crate) fn into_made(self) -> BTreeMap<String, Value> {
        self.made
    }

    /// The comments of the contracts.
    pub(crate) fn comments(&self) -> &Comments {
        &self.comments
    }

    /// The limits of a field.
    pub(crate) fn limits(&self, field: &FieldDescriptor) -> Limits {
        self.option.limits(field)
    }

    /// A reference to the schema of a message; for a type of Protobuf's own the schema itself.
    pub(crate) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if is_well_known(message) {
            return well_known(message.name());
        }
        let name = message.full_name();
        if !self.made.contains_key(name) {
            // Its place is taken first: it may hold itself.
            self.made.insert(name.to_owned(), Value::Null);
            let made = self.object(message, &[]);
            self.made.insert(name.to_owned(), made);
        }
        reference(name)
    }

    /// The schema of a message without some of its fields.
    pub(crate) fn object(&mut self, message: &MessageDescriptor, without: &[FieldDescriptor]) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields().filter(|field| !without.contains(field)) {
            if self.limits(&field).required {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), self.field(&field));
        }
        let mut object = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            object["required"] = required.into();
        }
        let said = self.comments.above(&message.parent_file(), message.path());
        describe(&mut object, [said, choices(message)]);
        object
    }

    /// The schema of a field.
    pub(crate) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let limits = self.limits(field);
        let kind = field.kind();
        let mut schema = match kind.as_message().filter(|_| field.is_map()) {
            Some(entry) => self.map(entry, &limits),
            None if field.is_list() => self.list(&kind, &limits),
            None => self.value(&kind, &limits),
        };
        if field.options().get_field_by_name("deprecated").is_some_and(|value| value.as_bool() == Some(true))
        {
            schema["deprecated"] = true.into();
        }
        if limits.private {
            schema["writeOnly"] = true.into();
        }
        let said = self.comments.above(&field.parent_message().parent_file(), field.path());
        describe(&mut schema, [said, in_words(&kind, &limits)]);
        schema
    }

    fn map(&mut self, entry: &MessageDescriptor, limits: &Limits) -> Value {
        let values = self.value(&entry.map_entry_value_field().kind(), &Limits::default());
        let mut schema = json!({ "type": "object", "additionalProperties": values });
        if let Some(most) = limits.max_items {
            schema["maxProperties"] = most.into();
        }
        if limits.required {
            schema["minProperties"] = 1.into();
        }
        schema
    }

    fn list(&mut self, kind: &Kind, limits: &Limits) -> Value {
        let mut schema = json!({ "type": "array", "items": self.value(kind, limits) });
        if let Some(most) = limits.max_items {
            schema["maxItems"] = most.into();
        }
        if limits.required {
            schema["minItems"] = 1.into();
        }
        schema
    }

    fn value(&mut self, kind: &Kind, limits: &Limits) -> Value {
        let mut schema = match kind {
            Kind::Message(message) => return self.message(message),
            Kind::Enum(of) => return self.enumeration(of),
            Kind::Double => json!({ "type": ["number", "string"], "format": "double" }),
            Kind::Float => json!({ "type": ["number", "string"], "format": "float" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
            Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "format": "uint32", "minimum": 0 }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]+$" })
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]+$" })
            }
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        };
        bound(&mut schema, kind, limits);
        schema
    }

    fn enumeration(&mut self, of: &EnumDescriptor) -> Value {
        let name = of.full_name();
        if of.full_name() == "google.protobuf.NullValue" {
            return json!({ "type": "null" });
        }
        if !self.made.contains_key(name) {
            let values: Vec<_> = of.values().map(|value| value.name().to_owned()).collect();
            let mut schema = json!({ "type": "string", "enum": values });
            let file = of.parent_file();
            let said = of.values().filter_map(|value| {
                let said = self.comments.above(&file, value.path());
                (!said.is_empty()).then(|| format!("- {}: {said}", value.name()))
            });
            let said = said.collect::<Vec<_>>().join("\n");
            describe(&mut schema, [self.comments.above(&file, of.path()), said]);
            self.made.insert(name.to_owned(), schema);
        }
        reference(name)
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn bound(schema: &mut Value, kind: &Kind, limits: &Limits) {
    match kind {
        Kind::String => {
            if let Some(most) = limits.max_length {
                schema["maxLength"] = most.into();
            }
            if limits.required {
                schema["minLength"] = 1.into();
            }
        }
        Kind::Bytes => {
            if let Some(most) = limits.max_length {
                schema["maxLength"] = (u64::from(most).div_ceil(3) * 4).into();
            }
        }
        Kind::Double
        | Kind::Float
        | Kind::Int32
        | Kind::Sint32
        | Kind::Sfixed32
        | Kind::Uint32
        | Kind::Fixed32 => {
            if let Some(least) = limits.min {
                schema["minimum"] = least.into();
            }
            if let Some(most) = limits.max {
                schema["maximum"] = most.into();
            }
        }
        _ => {}
    }
}

/// The limits that no schema can say.
fn in_words(kind: &Kind, limits: &Limits) -> String {
    let in_a_string =
        matches!(kind, Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64);
    match (limits.min, limits.max) {
        (Some(least), Some(most)) if in_a_string => format!("From {least} to {most}."),
        (Some(least), None) if in_a_string => format!("At least {least}."),
        (None, Some(most)) if in_a_string => format!("At most {most}."),
        _ => String::new(),
    }
}

/// Which fields exclude each other.
fn choices(message: &MessageDescriptor) -> String {
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic()).collect::<Vec<_>>();
    let choice = |oneof: &prost_reflect::OneofDescriptor| {
        let names: Vec<_> = oneof.fields().map(|field| field.json_name().to_owned()).collect();
        format!("At most one of {}.", names.join(", "))
    };
    oneofs.iter().map(choice).collect::<Vec<_>>().join("\n")
}

/// Adds what is said of a thing, a paragraph each.
pub(crate) fn describe<const N: usize>(thing: &mut Value, said: [String; N]) {
    let said: Vec<String> = said.into_iter().filter(|said| !said.is_empty()).collect();
    if !said.is_empty() {
        thing["description"] = said.join("\n\n").into();
    }
}

fn well_known(name: &str) -> Value {
    match name {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$" }),
        "FieldMask" | "StringValue" => json!({ "type": "string" }),
        "BytesValue" => json!({ "type": "string", "contentEncoding": "base64" }),
        "BoolValue" => json!({ "type": "boolean" }),
        "Int32Value" => json!({ "type": "integer", "format": "int32" }),
        "UInt32Value" => json!({ "type": "integer", "format": "uint32", "minimum": 0 }),
        "Int64Value" => json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]+$" }),
        "UInt64Value" => json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]+$" }),
        "DoubleValue" | "FloatValue" => json!({ "type": ["number", "string"] }),
        "ListValue" => json!({ "type": "array" }),
        "Any" => json!({
            "type": "object", "properties": { "@type": { "type": "string" } }, "required": ["@type"],
        }),
        "Struct" | "Empty" => json!({ "type": "object" }),
        // `Value`: anything.
        _ => json!({}),
    }
}
