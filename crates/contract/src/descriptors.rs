//! From an encoded `FileDescriptorSet` to a model: what another compiler made, or what a release has kept.
//!
//! **Invariant:** whatever the bytes say, the answer is a model or a typed error. The reflection below takes some shapes
//! for granted that only a broken writer makes; they are refused before it sees them.

use std::collections::HashSet;

use prost::Message;
use prost_reflect::{DescriptorError, DescriptorPool};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    UninterpretedOption,
};

use crate::assemble;
use crate::bundled;
use crate::compile;
use crate::editions;
use crate::model::Model;
use crate::sources::Sources;

/// Why a descriptor set was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorsError {
    /// The bytes are not a `FileDescriptorSet`.
    #[error("failed to decode the descriptor set")]
    Decode(#[source] prost::DecodeError),
    /// A file is in none of the syntaxes that are known here.
    #[error(
        "failed to load {file}: its syntax is `{syntax}`, and proto2, proto3 and editions are understood"
    )]
    Syntax {
        /// The file.
        file: String,
        /// What it says.
        syntax: String,
    },
    /// A file is written in an edition that is not known here.
    #[error("failed to load {file}: its edition is `{edition}`, and 2023 and 2024 are understood")]
    Edition {
        /// The file.
        file: String,
        /// What it says, as descriptors number editions.
        edition: String,
    },
    /// A descriptor contradicts itself.
    #[error("failed to load {file}: {problem}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong in it.
        problem: String,
    },
    /// A name, a number or an option does not resolve.
    #[error("failed to resolve the descriptor set")]
    Resolve(#[source] DescriptorError),
}

/// Loads an encoded `google.protobuf.FileDescriptorSet`, custom options included. Places are empty: there are no texts.
/// Files of an edition become proto2 or proto3, and what is built in need not be in the set.
///
/// # Errors
/// The bytes are no descriptor set, or not one that is understood.
pub fn load_descriptors(bytes: &[u8]) -> Result<Model, DescriptorsError> {
    let lowered = editions::lower(bytes, bundled::is_bundled)?;
    let bytes = lowered.as_deref().unwrap_or(bytes);
    let set = FileDescriptorSet::decode(bytes).map_err(DescriptorsError::Decode)?;
    for file in &set.file {
        check_syntax(file)?;
        check_shape(file)
            .map_err(|problem| DescriptorsError::Malformed { file: file.name().to_owned(), problem })?;
    }
    let mut pool = if lacks_what_is_built_in(&set) { compile::built_in() } else { DescriptorPool::new() };
    pool.decode_file_descriptor_set(bytes).map_err(DescriptorsError::Resolve)?;
    Ok(assemble::model(pool, &Sources::default()))
}

/// Whether a file imports of what is built in what the set leaves out.
fn lacks_what_is_built_in(set: &FileDescriptorSet) -> bool {
    let there: HashSet<&str> = set.file.iter().map(FileDescriptorProto::name).collect();
    let mut imports = set.file.iter().flat_map(|file| &file.dependency);
    imports.any(|path| !there.contains(path.as_str()) && bundled::is_bundled(path))
}

/// The reflection below fails on another syntax in its own words, which are a panic.
fn check_syntax(file: &FileDescriptorProto) -> Result<(), DescriptorsError> {
    match file.syntax.as_deref() {
        None | Some("proto2" | "proto3") => Ok(()),
        Some(syntax) => {
            Err(DescriptorsError::Syntax { file: file.name().to_owned(), syntax: syntax.to_owned() })
        }
    }
}

fn check_shape(file: &FileDescriptorProto) -> Result<(), String> {
    resolved(file.name(), file.options.as_ref().map(|options| &options.uninterpreted_option))?;
    file.message_type.iter().try_for_each(check_message)?;
    file.enum_type.iter().try_for_each(check_enum)?;
    file.extension.iter().try_for_each(check_field)?;
    for service in &file.service {
        resolved(service.name(), service.options.as_ref().map(|options| &options.uninterpreted_option))?;
        for method in &service.method {
            resolved(method.name(), method.options.as_ref().map(|options| &options.uninterpreted_option))?;
        }
    }
    Ok(())
}

/// A map entry has a key and a value under the numbers 1 and 2, and nothing else.
fn check_message(message: &DescriptorProto) -> Result<(), String> {
    let is_entry = message.options.as_ref().is_some_and(|options| options.map_entry());
    if is_entry && !message.field.iter().map(FieldDescriptorProto::number).eq([1, 2]) {
        return Err(format!("the map entry `{}` is not a key and a value", message.name()));
    }
    resolved(message.name(), message.options.as_ref().map(|options| &options.uninterpreted_option))?;
    for oneof in &message.oneof_decl {
        resolved(oneof.name(), oneof.options.as_ref().map(|options| &options.uninterpreted_option))?;
    }
    for range in &message.extension_range {
        resolved(message.name(), range.options.as_ref().map(|options| &options.uninterpreted_option))?;
    }
    message.field.iter().chain(&message.extension).try_for_each(check_field)?;
    message.enum_type.iter().try_for_each(check_enum)?;
    message.nested_type.iter().try_for_each(check_message)
}

fn check_field(field: &FieldDescriptorProto) -> Result<(), String> {
    resolved(field.name(), field.options.as_ref().map(|options| &options.uninterpreted_option))
}

fn check_enum(choice: &EnumDescriptorProto) -> Result<(), String> {
    resolved(choice.name(), choice.options.as_ref().map(|options| &options.uninterpreted_option))?;
    for value in &choice.value {
        resolved(value.name(), value.options.as_ref().map(|options| &options.uninterpreted_option))?;
    }
    Ok(())
}

/// A compiler resolves options; parsing the text of one that is left would recurse as deep as the text nests.
fn resolved(name: &str, left: Option<&Vec<UninterpretedOption>>) -> Result<(), String> {
    if left.is_none_or(Vec::is_empty) {
        Ok(())
    } else {
        Err(format!("an option of `{name}` was not resolved"))
    }
}
