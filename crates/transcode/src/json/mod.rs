//! Messages as JSON: Protobuf's own mapping, read strictly.
//!
//! In: a text and the descriptor of a message. Out: the message, or what is wrong with the text, by field. A text is
//! parsed into a tree first (`tree`), which is then read against the descriptor (`message`, `scalar`); messages are
//! written by `prost-reflect`. **Invariant:** no text, however deep or long, uses more of the stack than the bound on
//! its depth allows.

mod message;
mod scalar;
mod tree;

use bytes::Bytes;
use freehold_wire::Reason;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, SerializeOptions};
use serde_json::Value as Written;
use tonic::Status;

pub(crate) use message::{field, find, is_well_known, message, other_of_its_oneof, unknown, value};
pub(crate) use tree::{Json, Misread, parse};

/// How deep a text may nest; as deep as Protobuf's own decoders go.
pub(crate) const DEEPEST: usize = 100;

/// Options of how messages are written: those of Protobuf's mapping. 64-bit integers are strings, enum values names,
/// and a field that has its default is left out.
const WRITING: SerializeOptions = SerializeOptions::new();

/// Writes an encoded message as JSON.
///
/// # Errors
/// INTERNAL, for bytes that are no such message: its sender broke the contract.
pub(crate) fn write(descriptor: &MessageDescriptor, encoded: Bytes) -> Result<Vec<u8>, Status> {
    let message = decode(descriptor, encoded)?;
    let mut text = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut text);
    message.serialize_with_options(&mut serializer, &WRITING).map_err(unwritable)?;
    Ok(text)
}

/// Writes one field of an encoded message as JSON; a field that is not there as its default.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_field(
    descriptor: &MessageDescriptor,
    field: &FieldDescriptor,
    encoded: Bytes,
) -> Result<Vec<u8>, Status> {
    let message = decode(descriptor, encoded)?;
    let mut written = as_value(&message, &WRITING)?;
    let value = match written.get_mut(field.json_name()) {
        Some(value) => value.take(),
        None => default(descriptor, field)?,
    };
    serde_json::to_vec(&value).map_err(unwritable)
}

fn default(descriptor: &MessageDescriptor, field: &FieldDescriptor) -> Result<Written, Status> {
    let empty = DynamicMessage::new(descriptor.clone());
    let mut written = as_value(&empty, &WRITING.skip_default_fields(false))?;
    Ok(written.get_mut(field.json_name()).map_or(Written::Null, Written::take))
}

fn as_value(message: &DynamicMessage, options: &SerializeOptions) -> Result<Written, Status> {
    message.serialize_with_options(serde_json::value::Serializer, options).map_err(unwritable)
}

fn decode(descriptor: &MessageDescriptor, encoded: Bytes) -> Result<DynamicMessage, Status> {
    let broken = |error| bad_reply(format!("the reply does not decode: {error}"));
    DynamicMessage::decode(descriptor.clone(), encoded).map_err(broken)
}

fn unwritable(error: serde_json::Error) -> Status {
    bad_reply(format!("the reply cannot be written as JSON: {error}"))
}

fn bad_reply(message: String) -> Status {
    Reason::Internal.because("BAD_REPLY", message)
}

#[cfg(test)]
mod tests;
