//! Files of an edition as the reflection reads them, which knows proto2 and proto3 alone: each becomes one of the two.
//!
//! A file that says what proto3 says becomes proto3, every other one proto2. What proto2 has no word for, a field without
//! presence and an open enum, stays written in its options as features, and is read from there: [`tells_absent`] and
//! [`is_closed`]. **Invariant:** the schema of what comes out has the presence, the kinds and the enums of what went in.

mod raw;

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Syntax};

use crate::descriptors::DescriptorsError;
use crate::schema::{Cardinality, Enum, Field, Kind, Message, Schema};

const LABEL_REQUIRED: i32 = 2;
const TYPE_GROUP: i32 = 10;
/// Values of `FeatureSet.FieldPresence` and `FeatureSet.EnumType`.
const IMPLICIT: i32 = 2;
const OPEN: i32 = 1;

/// Of a file, what tells an edition.
#[derive(Clone, PartialEq, prost::Message)]
struct FileHead {
    #[prost(string, tag = "12")]
    syntax: String,
    #[prost(int32, tag = "14")]
    edition: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Heads {
    #[prost(message, repeated, tag = "1")]
    file: Vec<FileHead>,
}

/// Options of a field: how it is packed, and its features.
#[derive(Clone, PartialEq, prost::Message)]
struct FieldOptions {
    #[prost(bool, optional, tag = "2")]
    packed: Option<bool>,
    #[prost(message, optional, tag = "21")]
    features: Option<Features>,
}

/// Options of an enum: its features.
#[derive(Clone, PartialEq, prost::Message)]
struct EnumOptions {
    #[prost(message, optional, tag = "7")]
    features: Option<Features>,
}

/// The features that proto2 has no word for.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Features {
    #[prost(int32, optional, tag = "1")]
    field_presence: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    enum_type: Option<i32>,
}

/// The set with every file in proto2 or proto3; none where it is so already. `is_known` says which files are at hand beside
/// those of the set.
///
/// # Errors
/// The bytes are no descriptor set, contradict themselves, or have an edition that is not known.
pub(crate) fn lower(
    bytes: &[u8],
    is_known: impl Fn(&str) -> bool,
) -> Result<Option<Vec<u8>>, DescriptorsError> {
    let heads = Heads::decode(bytes).map_err(DescriptorsError::Decode)?;
    if !heads.file.iter().any(|file| file.edition != 0 || file.syntax == "editions") {
        return Ok(None);
    }
    let schema = Schema::decode(bytes)?;
    let mut set = raw::FileSet::decode(bytes).map_err(DescriptorsError::Decode)?;
    let paths: HashSet<String> = set.file.iter().filter_map(|file| file.name.clone()).collect();
    let lowering = Lowering::of(&schema);
    for (index, file) in set.file.iter_mut().enumerate() {
        file.edition = None;
        let options = std::mem::take(&mut file.option_dependency);
        // An import for options alone may be left out of a set: what it declares is not needed to read the rest.
        let there = options.into_iter().filter(|path| paths.contains(path) || is_known(path));
        file.dependency.extend(there);
        if schema.is_of_edition(index) {
            lowering.file(index, file);
        }
    }
    Ok(Some(set.encode_to_vec()))
}

/// Whether a field tells that it was not set from its default.
pub(crate) fn tells_absent(field: &FieldDescriptor) -> bool {
    let in_entry = field.parent_message().is_map_entry();
    field.supports_presence() && !in_entry && !says_implicit(field)
}

/// Whether a reader drops values that it does not know.
pub(crate) fn is_closed(choice: &EnumDescriptor) -> bool {
    choice.parent_file().syntax() == Syntax::Proto2 && !says_open(choice)
}

fn says_implicit(field: &FieldDescriptor) -> bool {
    if field.parent_file().syntax() != Syntax::Proto2 || field.containing_oneof().is_some() {
        return false;
    }
    let options = FieldOptions::decode(field.options().encode_to_vec().as_slice()).unwrap_or_default();
    options.features.is_some_and(|features| features.field_presence == Some(IMPLICIT))
}

fn says_open(choice: &EnumDescriptor) -> bool {
    let options = EnumOptions::decode(choice.options().encode_to_vec().as_slice()).unwrap_or_default();
    options.features.is_some_and(|features| features.enum_type == Some(OPEN))
}

/// The syntax that a file becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Proto2,
    Proto3,
}

/// What is declared, by full name.
struct Lowering<'a> {
    schema: &'a Schema,
    messages: HashMap<&'a str, &'a Message>,
    enums: HashMap<&'a str, &'a Enum>,
}

impl<'a> Lowering<'a> {
    fn of(schema: &'a Schema) -> Self {
        Self {
            schema,
            messages: schema.messages.iter().map(|message| (message.head.name.as_str(), message)).collect(),
            enums: schema.enums.iter().map(|choice| (choice.head.name.as_str(), choice)).collect(),
        }
    }

    fn file(&self, index: usize, file: &mut raw::File) {
        let base = self.base(index);
        file.syntax = (base == Base::Proto3).then(|| "proto3".to_owned());
        let package = file.package.clone().unwrap_or_default();
        for message in &mut file.message_type {
            self.message(message, &package, base);
        }
        for choice in &mut file.enum_type {
            self.choice(choice, &package, base);
        }
    }

    /// Proto3, where all that the file declares can be said in it.
    fn base(&self, file: usize) -> Base {
        let message_fits = |message: &Message| {
            let fits = |field: &Field| {
                field.cardinality != Cardinality::Required
                    && field.default.is_none()
                    && field.kind != Kind::Group
            };
            message.json && message.extensions.is_empty() && message.fields.iter().all(fits)
        };
        let enum_fits = |choice: &Enum| {
            choice.json && !choice.closed && choice.values.first().is_some_and(|value| value.number == 0)
        };
        let mut messages = self.schema.messages.iter().filter(|message| message.head.file == file);
        let mut enums = self.schema.enums.iter().filter(|choice| choice.head.file == file);
        if messages.all(message_fits) && enums.all(enum_fits) { Base::Proto3 } else { Base::Proto2 }
    }

    fn message(&self, message: &mut raw::Message, around: &str, base: Base) {
        let name = within(around, message.name.as_deref());
        let Some(known) = self.messages.get(name.as_str()) else { return };
        for (field, resolved) in message.field.iter_mut().zip(&known.fields) {
            lower_field(field, resolved, base);
            let tells_absent = resolved.cardinality == Cardinality::Explicit
                && field.oneof_index.is_none()
                && !resolved.kind.is_message();
            if base == Base::Proto3 && tells_absent && !known.is_map_entry {
                field.oneof_index = i32::try_from(message.oneof_decl.len()).ok();
                field.proto3_optional = Some(true);
                let name = oneof_name(&known.fields, &message.oneof_decl, field.name.as_deref());
                message.oneof_decl.push(raw::Oneof { name: Some(name), options: Vec::new() });
            }
        }
        for nested in &mut message.nested_type {
            self.message(nested, &name, base);
        }
        for choice in &mut message.enum_type {
            self.choice(choice, &name, base);
        }
    }

    fn choice(&self, choice: &mut raw::Enum, around: &str, base: Base) {
        let name = within(around, choice.name.as_deref());
        let closed = self.enums.get(name.as_str()).is_some_and(|known| known.closed);
        if base == Base::Proto2 && !closed {
            let features = Features { enum_type: Some(OPEN), ..Features::default() };
            choice.say(&EnumOptions { features: Some(features) });
        }
    }
}

fn lower_field(field: &mut raw::Field, resolved: &Field, base: Base) {
    if resolved.cardinality == Cardinality::Required {
        field.label = Some(LABEL_REQUIRED);
    }
    if resolved.kind == Kind::Group {
        field.r#type = Some(TYPE_GROUP);
    }
    if base == Base::Proto2 && resolved.cardinality == Cardinality::Implicit {
        let features = Features { field_presence: Some(IMPLICIT), ..Features::default() };
        field.say(&FieldOptions { features: Some(features), packed: None });
    }
    let unlike_the_base = resolved.packed != (base == Base::Proto3);
    if resolved.cardinality == Cardinality::Repeated && resolved.kind.is_number() && unlike_the_base {
        field.say(&FieldOptions { packed: Some(resolved.packed), features: None });
    }
}

fn within(around: &str, name: Option<&str>) -> String {
    let name = name.unwrap_or_default();
    if around.is_empty() { name.to_owned() } else { format!("{around}.{name}") }
}

/// What a compiler calls the oneof around an `optional` field: `_name`, with an `X` before it until nothing is called so.
fn oneof_name(fields: &[Field], oneofs: &[raw::Oneof], field: Option<&str>) -> String {
    let taken = |name: &str| {
        fields.iter().any(|field| field.name == name)
            || oneofs.iter().any(|oneof| oneof.name.as_deref() == Some(name))
    };
    let mut name = format!("_{}", field.unwrap_or_default());
    while taken(&name) {
        name.insert(0, 'X');
    }
    name
}
