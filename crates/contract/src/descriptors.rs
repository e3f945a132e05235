//! From an encoded `FileDescriptorSet` to a model: what another compiler made, or what a release has kept.
//!
//! **Invariant:** whatever the bytes say, the answer is a model or a typed error. The reflection below takes some shapes
//! for granted that only a broken writer makes; they are refused before it sees them.

use prost::Message;
use prost_reflect::{DescriptorError, DescriptorPool};
use prost_types::{DescriptorProto, FileDescriptorSet};

use crate::assemble;
use crate::model::Model;
use crate::sources::Sources;

/// Why a descriptor set was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorsError {
    /// The bytes are not a `FileDescriptorSet`.
    #[error("failed to decode the descriptor set")]
    Decode(#[source] prost::DecodeError),
    /// A file is written in an edition; the syntaxes are proto2 and proto3.
    #[error("failed to load {file}: its syntax is `{syntax}`, and proto2 and proto3 are understood")]
    Syntax {
        /// The file.
        file: String,
        /// What it says.
        syntax: String,
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
///
/// # Errors
/// The bytes are no descriptor set, or not one that is understood.
pub fn load_descriptors(bytes: &[u8]) -> Result<Model, DescriptorsError> {
    let set = FileDescriptorSet::decode(bytes).map_err(DescriptorsError::Decode)?;
    for file in &set.file {
        if !matches!(file.syntax(), "" | "proto2" | "proto3") {
            let (file, syntax) = (file.name().to_owned(), file.syntax().to_owned());
            return Err(DescriptorsError::Syntax { file, syntax });
        }
        for message in &file.message_type {
            check_shape(message)
                .map_err(|problem| DescriptorsError::Malformed { file: file.name().to_owned(), problem })?;
        }
    }
    let mut pool = DescriptorPool::new();
    pool.decode_file_descriptor_set(bytes).map_err(DescriptorsError::Resolve)?;
    Ok(assemble::model(pool, &Sources::default()))
}

/// A map entry has a key and a value under the numbers 1 and 2, and nothing else.
fn check_shape(message: &DescriptorProto) -> Result<(), String> {
    let is_entry = message.options.as_ref().is_some_and(|options| options.map_entry());
    if is_entry && !message.field.iter().map(|field| field.number()).eq([1, 2]) {
        return Err(format!("the map entry `{}` is not a key and a value", message.name()));
    }
    message.nested_type.iter().try_for_each(check_shape)
}
