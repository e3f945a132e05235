//! From the contract model's descriptors to the plain items that are written.

use std::collections::BTreeSet;

use freehold_contract::language::field_rules;
use freehold_contract::model::{Consumer, Model, Service};
use freehold_contract::services;
use prost_reflect::{
    EnumDescriptor, FieldDescriptor, FileDescriptor, Kind as Reflected, MessageDescriptor, OneofDescriptor,
    Syntax,
};

use crate::docs::Comments;
use crate::error::Error;
use crate::items::{EnumValue, Enumeration, Field, Kind, Member, Message, Oneof, Package, Scalar, Shape};
use crate::names;

/// The number of `EnumDescriptorProto.value`, as paths of source info have it.
const ENUM_VALUE: i32 = 2;

/// The package of the contract language itself.
pub(crate) const LANGUAGE: &str = "freehold.v1";
/// The file of its options, which nothing sends.
const OPTIONS: &str = "freehold/v1/contract.proto";

/// Every package that the SDK holds, by name: what owners own, and what they share.
pub(crate) fn packages(model: &Model) -> Result<Vec<Package>, Error> {
    let files: Vec<FileDescriptor> = model.pool.files().filter(|file| is_contract(model, file)).collect();
    let names: BTreeSet<&str> = files.iter().map(FileDescriptor::package_name).collect();
    let read = |name: &&str| {
        let files: Vec<_> = files.iter().filter(|file| file.package_name() == *name).collect();
        package(name, &files, services(&model.pool, name))
    };
    names.iter().map(read).collect()
}

/// The package of the contract language: what travels, without the options.
pub(crate) fn language(model: &Model) -> Result<Package, Error> {
    let is_sent = |file: &FileDescriptor| file.package_name() == LANGUAGE && file.name() != OPTIONS;
    let files: Vec<FileDescriptor> = model.pool.files().filter(is_sent).collect();
    package(LANGUAGE, &files.iter().collect::<Vec<_>>(), services(&model.pool, LANGUAGE))
}

/// The messages of a consumer's needs. They share their Protobuf package with what the consumer owns, and are kept apart
/// from it by the name of their file.
pub(crate) fn needs(model: &Model, consumer: &Consumer) -> Result<Package, Error> {
    let file = model.pool.get_file_by_name(&consumer.file);
    let file = file.ok_or_else(|| Error::Unknown(consumer.file.clone()))?;
    let mut needs = package(&consumer.file, &[&file], Vec::new())?;
    for message in &mut needs.messages {
        mark_personal(message, consumer);
    }
    Ok(needs)
}

/// What is about a person at its owner is so in a copy of it.
fn mark_personal(message: &mut Message, consumer: &Consumer) {
    let of_views = consumer.views.iter().map(|view| (&view.name, &view.fields));
    let of_replicas = consumer.replicas.iter().map(|replica| (&replica.name, &replica.fields));
    let Some((_, taken)) = of_views.chain(of_replicas).find(|(name, _)| **name == message.full_name) else {
        return;
    };
    for field in message.fields_mut() {
        field.rules.personal |= taken.iter().any(|taken| taken.number == field.number && taken.personal);
    }
}

fn is_contract(model: &Model, file: &FileDescriptor) -> bool {
    let package = file.package_name();
    let is_needs = model.consumers.iter().any(|consumer| consumer.file == file.name());
    package != LANGUAGE && package != "google" && !package.starts_with("google.") && !is_needs
}

fn package(name: &str, files: &[&FileDescriptor], services: Vec<Service>) -> Result<Package, Error> {
    let mut package = Package {
        name: name.to_owned(),
        docs: Vec::new(),
        messages: Vec::new(),
        enums: Vec::new(),
        services,
    };
    let mut files = files.to_vec();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    for file in files {
        if file.syntax() != Syntax::Proto3 {
            let (item, feature) = (file.name().to_owned(), "a syntax other than proto3");
            return Err(Error::Unsupported { item, feature, instead: "write `syntax = \"proto3\";`" });
        }
        let comments = Comments::of(file);
        package.docs.extend(comments.of_file());
        for declared in file.messages() {
            package.messages.push(message(&declared, &comments)?);
        }
        package.enums.extend(file.enums().map(|declared| enumeration(&declared, &comments)));
    }
    Ok(package)
}

fn message(declared: &MessageDescriptor, comments: &Comments) -> Result<Message, Error> {
    let children: Vec<_> = declared.child_messages().filter(|child| !child.is_map_entry()).collect();
    let messages: Result<_, Error> = children.iter().map(|child| message(child, comments)).collect();
    Ok(Message {
        full_name: declared.full_name().to_owned(),
        name: declared.name().to_owned(),
        docs: deprecation(
            comments.at(declared.path(), || format!("The message `{}`.", declared.full_name())),
            declared.descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated()),
        ),
        members: members(declared, comments)?,
        messages: messages?,
        enums: declared.child_enums().map(|child| enumeration(&child, comments)).collect(),
    })
}

/// What its owner gives up says so; not by an attribute, for that would break whoever builds without warnings.
fn deprecation(mut docs: Vec<String>, is_deprecated: bool) -> Vec<String> {
    if is_deprecated {
        docs.extend(["".to_owned(), "Deprecated by its owner.".to_owned()]);
    }
    docs
}

/// A message's fields as declared; a oneof stands where its first field does.
fn members(message: &MessageDescriptor, comments: &Comments) -> Result<Vec<Member>, Error> {
    let mut members = Vec::new();
    // Reflection lists fields by number; the author's order is the one to read.
    for declared in &message.descriptor_proto().field {
        let unknown = || Error::Unknown(format!("{}.{}", message.full_name(), declared.name()));
        let descriptor = message.get_field_by_name(declared.name()).ok_or_else(unknown)?;
        match descriptor.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
            None => members.push(Member::Field(field(&descriptor, comments)?)),
            Some(choice) if is_first(&choice, &descriptor) => {
                members.push(Member::Oneof(oneof(message, &choice, comments)?));
            }
            Some(_) => {}
        }
    }
    Ok(members)
}

fn is_first(oneof: &OneofDescriptor, field: &FieldDescriptor) -> bool {
    oneof.fields().map(|field| field.path().to_vec()).min().as_deref() == Some(field.path())
}

fn oneof(message: &MessageDescriptor, oneof: &OneofDescriptor, comments: &Comments) -> Result<Oneof, Error> {
    let mut declared: Vec<FieldDescriptor> = oneof.fields().collect();
    declared.sort_by(|a, b| a.path().cmp(b.path()));
    let fields: Result<_, Error> = declared.iter().map(|member| field(member, comments)).collect();
    let types = message.child_messages().map(|child| names::type_name(child.name()));
    let mut types = types.chain(message.child_enums().map(|child| names::type_name(child.name())));
    let own = names::type_name(oneof.name());
    let suffix = if types.any(|name| name == own) { "_choice" } else { "" };
    Ok(Oneof {
        name: oneof.name().to_owned(),
        type_name: format!("{}{suffix}", oneof.name()),
        docs: comments.at(oneof.path(), || format!("The choice `{}`.", oneof.name())),
        fields: fields?,
    })
}

fn field(field: &FieldDescriptor, comments: &Comments) -> Result<Field, Error> {
    if field.is_group() {
        let (item, feature) = (field.full_name().to_owned(), "a group");
        return Err(Error::Unsupported { item, feature, instead: "declare a message and a field of it" });
    }
    let (kind, shape) = match field.kind() {
        Reflected::Message(entry) if field.is_map() => {
            let key = scalar(&entry.map_entry_key_field().kind()).unwrap_or(Scalar::String);
            (kind(&entry.map_entry_value_field().kind()), Shape::Map(key))
        }
        held if field.is_list() => (kind(&held), Shape::Repeated { packed: field.is_packed() }),
        held => (kind(&held), if is_optional(field) { Shape::Optional } else { Shape::Plain }),
    };
    Ok(Field {
        name: field.name().to_owned(),
        number: field.number(),
        docs: deprecation(
            comments.at(field.path(), || format!("The field `{}`.", field.name())),
            field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated()),
        ),
        boxed: leads_back(field),
        rules: field_rules(field),
        kind,
        shape,
    })
}

/// A member of a oneof is unset by another one being set, not by itself.
fn is_optional(field: &FieldDescriptor) -> bool {
    field.supports_presence() && field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic())
}

/// Whether the field leads back to its own message with nothing on the heap in between.
fn leads_back(field: &FieldDescriptor) -> bool {
    let mut seen = BTreeSet::new();
    let mut next: Vec<MessageDescriptor> = inline(field).into_iter().collect();
    while let Some(message) = next.pop() {
        if &message == field.parent_message() {
            return true;
        }
        if seen.insert(message.full_name().to_owned()) {
            next.extend(message.fields().filter_map(|field| inline(&field)));
        }
    }
    false
}

fn inline(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Reflected::Message(message) if !field.is_list() && !field.is_map() => Some(message),
        _ => None,
    }
}

fn kind(kind: &Reflected) -> Kind {
    match kind {
        Reflected::Message(message) => Kind::Message(message.full_name().to_owned()),
        Reflected::Enum(enumeration) => Kind::Enumeration(enumeration.full_name().to_owned()),
        other => Kind::Scalar(scalar(other).unwrap_or(Scalar::Bytes)),
    }
}

fn scalar(kind: &Reflected) -> Option<Scalar> {
    Some(match kind {
        Reflected::Double => Scalar::Double,
        Reflected::Float => Scalar::Float,
        Reflected::Int32 => Scalar::Int32,
        Reflected::Int64 => Scalar::Int64,
        Reflected::Uint32 => Scalar::Uint32,
        Reflected::Uint64 => Scalar::Uint64,
        Reflected::Sint32 => Scalar::Sint32,
        Reflected::Sint64 => Scalar::Sint64,
        Reflected::Fixed32 => Scalar::Fixed32,
        Reflected::Fixed64 => Scalar::Fixed64,
        Reflected::Sfixed32 => Scalar::Sfixed32,
        Reflected::Sfixed64 => Scalar::Sfixed64,
        Reflected::Bool => Scalar::Bool,
        Reflected::String => Scalar::String,
        Reflected::Bytes => Scalar::Bytes,
        Reflected::Message(_) | Reflected::Enum(_) => return None,
    })
}

fn enumeration(enumeration: &EnumDescriptor, comments: &Comments) -> Enumeration {
    let mut numbers = BTreeSet::new();
    let mut values = Vec::new();
    for (index, value) in enumeration.enum_descriptor_proto().value.iter().enumerate() {
        if !numbers.insert(value.number()) {
            continue;
        }
        let path = [enumeration.path(), &[ENUM_VALUE, i32::try_from(index).unwrap_or(i32::MAX)]].concat();
        let docs = deprecation(
            comments.at(&path, || format!("The value `{}`.", value.name())),
            value.options.as_ref().is_some_and(|options| options.deprecated()),
        );
        values.push(EnumValue { name: value.name().to_owned(), number: value.number(), docs });
    }
    Enumeration {
        full_name: enumeration.full_name().to_owned(),
        name: enumeration.name().to_owned(),
        docs: comments.at(enumeration.path(), || format!("The enum `{}`.", enumeration.full_name())),
        values,
    }
}
