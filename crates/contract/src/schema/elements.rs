//! Files and what they declare, flat and resolved: what a comparison looks at.
//!
//! Every element has a `Head`: its full name, its file, and the descriptor path under which its place is found. Nested
//! elements stand beside those that they are nested in.

use std::sync::OnceLock;

use prost::bytes::Bytes;

use super::features::{CppString, Edition};
pub(crate) use super::proto::FileOptions;
use crate::places::FilePlaces;

/// A .proto file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) package: String,
    pub(crate) edition: Edition,
    pub(crate) options: FileOptions,
    /// An encoded `SourceCodeInfo`; empty where the compiler left it out.
    pub(super) source_info: Bytes,
    /// The text that was compiled, where it is known.
    pub(super) text: Option<String>,
    pub(super) places: OnceLock<FilePlaces>,
}

/// What every element of a file has.
#[derive(Debug)]
pub(crate) struct Head {
    /// The index of the file.
    pub(crate) file: usize,
    /// The full name: "catalog.v1.Product.Size".
    pub(crate) name: String,
    /// Where in the full name the part after the package begins: "Product.Size".
    pub(super) nested_at: usize,
    /// The descriptor path whose location is the element's. The entry of a map lies where its field does.
    pub(crate) path: Vec<i32>,
}

impl Head {
    /// The name below the package.
    pub(crate) fn nested(&self) -> &str {
        &self.name[self.nested_at..]
    }
}

/// A message, a group or the entry of a map.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) fields: Vec<Field>,
    /// Those that are written; the ones that a compiler makes for `optional` are left out.
    pub(crate) oneofs: Vec<String>,
    pub(crate) extensions: Vec<Numbers>,
    pub(crate) reserved: Vec<Numbers>,
    pub(crate) reserved_names: Vec<String>,
    pub(crate) is_map_entry: bool,
    pub(crate) hides_descriptor: bool,
    pub(crate) json: bool,
}

/// A field or an extension.
#[derive(Debug)]
pub(crate) struct Field {
    /// An extension's is full.
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) kind: Kind,
    /// The full name of its message or enum, without a leading dot.
    pub(crate) type_name: String,
    pub(crate) cardinality: Cardinality,
    /// Whether the word `required` stands there; the feature of that meaning does not count.
    pub(crate) says_required: bool,
    pub(crate) default: Option<String>,
    pub(crate) json_name: String,
    /// The name of the oneof that it is written in.
    pub(crate) oneof: Option<String>,
    pub(crate) jstype: i32,
    /// Whether its numbers are sent together; of no account where it holds one, or no numbers.
    pub(crate) packed: bool,
    pub(crate) cpp_string: CppString,
    pub(crate) verifies_utf8: bool,
    pub(crate) java_verifies_utf8: bool,
}

/// A field of a message that is declared elsewhere; the head's name is the field's.
#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) head: Head,
    /// The full name of the message.
    pub(crate) extendee: String,
    pub(crate) field: Field,
}

/// An enum.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) head: Head,
    pub(crate) values: Vec<EnumValue>,
    pub(crate) reserved: Vec<Numbers>,
    pub(crate) reserved_names: Vec<String>,
    pub(crate) closed: bool,
    pub(crate) json: bool,
}

/// A name of a number of an enum.
#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) name: String,
    pub(crate) number: i32,
}

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) head: Head,
    pub(crate) methods: Vec<Method>,
}

/// An RPC.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) request: String,
    pub(crate) response: String,
    pub(crate) client_streaming: bool,
    pub(crate) server_streaming: bool,
    pub(crate) idempotency: i32,
}

/// The numbers from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Numbers {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// How often a field is there, and whether it knows that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cardinality {
    Required,
    Explicit,
    Implicit,
    Repeated,
    Map,
}

/// What a field holds; `Group` is also a message that is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Group,
    Message,
    Bytes,
    Uint32,
    Enum,
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    /// A number that descriptor.proto does not know.
    Unknown,
}

impl Kind {
    /// In the order of `FieldDescriptorProto.Type`, which counts from 1.
    const ALL: [Self; 18] = [
        Self::Double,
        Self::Float,
        Self::Int64,
        Self::Uint64,
        Self::Int32,
        Self::Fixed64,
        Self::Fixed32,
        Self::Bool,
        Self::String,
        Self::Group,
        Self::Message,
        Self::Bytes,
        Self::Uint32,
        Self::Enum,
        Self::Sfixed32,
        Self::Sfixed64,
        Self::Sint32,
        Self::Sint64,
    ];

    pub(super) fn read(number: i32) -> Self {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        at.and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::Unknown)
    }

    /// Whether a type name goes with it.
    pub(crate) fn is_named(self) -> bool {
        matches!(self, Self::Group | Self::Message | Self::Enum)
    }

    /// Whether several of it can be sent together.
    pub(crate) fn is_number(self) -> bool {
        !matches!(self, Self::String | Self::Bytes | Self::Group | Self::Message | Self::Unknown)
    }

    pub(crate) fn is_message(self) -> bool {
        matches!(self, Self::Group | Self::Message)
    }
}
