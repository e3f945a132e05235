//! The Rust types of fields, and the attributes by which prost encodes them.
//!
//! An enum field of a message is encoded as the `int32` that it is on the wire: prost's own enum fields come with getters
//! that answer the default for a value they do not know, and nothing may hide that a value was not understood.

use proc_macro2::TokenStream;
use quote::quote;

use crate::error::Error;
use crate::items::{Field, Kind, Scalar, Shape};
use crate::paths::Scope;

impl Scalar {
    /// As prost spells it.
    pub(crate) fn word(self) -> TokenStream {
        match self {
            Self::Double => quote!(double),
            Self::Float => quote!(float),
            Self::Int32 => quote!(int32),
            Self::Int64 => quote!(int64),
            Self::Uint32 => quote!(uint32),
            Self::Uint64 => quote!(uint64),
            Self::Sint32 => quote!(sint32),
            Self::Sint64 => quote!(sint64),
            Self::Fixed32 => quote!(fixed32),
            Self::Fixed64 => quote!(fixed64),
            Self::Sfixed32 => quote!(sfixed32),
            Self::Sfixed64 => quote!(sfixed64),
            Self::Bool => quote!(bool),
            Self::String => quote!(string),
            Self::Bytes => quote!(bytes = "vec"),
        }
    }

    /// As Rust spells it.
    pub(crate) fn rust(self, scope: &Scope<'_>) -> TokenStream {
        match self {
            Self::Double => quote!(f64),
            Self::Float => quote!(f32),
            Self::Int32 | Self::Sint32 | Self::Sfixed32 => quote!(i32),
            Self::Int64 | Self::Sint64 | Self::Sfixed64 => quote!(i64),
            Self::Uint32 | Self::Fixed32 => quote!(u32),
            Self::Uint64 | Self::Fixed64 => quote!(u64),
            Self::Bool => quote!(bool),
            Self::String => scope.prelude("String"),
            Self::Bytes => {
                let vec = scope.prelude("Vec");
                quote!(#vec<u8>)
            }
        }
    }

    /// Whether it is a number.
    pub(crate) fn is_number(self) -> bool {
        !matches!(self, Self::Bool | Self::String | Self::Bytes)
    }
}

/// The type of one item of a field.
pub(crate) fn item(kind: &Kind, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    match kind {
        Kind::Scalar(scalar) => Ok(scalar.rust(scope)),
        Kind::Enumeration(_) => Ok(quote!(i32)),
        Kind::Message(name) => scope.path(name),
    }
}

/// The type of a field, or of the payload of a oneof's variant.
pub(crate) fn field(field: &Field, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let mut item = item(&field.kind, scope)?;
    if field.boxed {
        let boxed = scope.prelude("Box");
        item = quote!(#boxed<#item>);
    }
    Ok(match field.shape {
        Shape::Plain => item,
        Shape::Optional => {
            let option = scope.prelude("Option");
            quote!(#option<#item>)
        }
        Shape::Repeated { .. } => {
            let vec = scope.prelude("Vec");
            quote!(#vec<#item>)
        }
        Shape::Map(key) => {
            let key = key.rust(scope);
            quote!(std::collections::BTreeMap<#key, #item>)
        }
    })
}

/// The attribute of a message's field.
pub(crate) fn attribute(field: &Field) -> TokenStream {
    let tag = field.number.to_string();
    let word = word(&field.kind);
    match field.shape {
        Shape::Map(key) => {
            let entry = map_entry(key, &field.kind);
            quote!(#[prost(btree_map = #entry, tag = #tag)])
        }
        Shape::Repeated { packed: false } if is_packable(&field.kind) => {
            quote!(#[prost(#word, repeated, packed = "false", tag = #tag)])
        }
        Shape::Repeated { .. } => quote!(#[prost(#word, repeated, tag = #tag)]),
        Shape::Optional if field.boxed => quote!(#[prost(#word, optional, boxed, tag = #tag)]),
        Shape::Optional => quote!(#[prost(#word, optional, tag = #tag)]),
        Shape::Plain => quote!(#[prost(#word, tag = #tag)]),
    }
}

/// The attribute of a oneof's variant. Here prost adds no getters, so that an enum can be one.
pub(crate) fn variant_attribute(field: &Field, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let tag = field.number.to_string();
    if let Kind::Enumeration(name) = &field.kind {
        let path = spaceless(&scope.path(name)?);
        return Ok(quote!(#[prost(enumeration = #path, tag = #tag)]));
    }
    let word = word(&field.kind);
    let boxed = field.boxed.then(|| quote!(boxed,));
    Ok(quote!(#[prost(#word, #boxed tag = #tag)]))
}

/// Whether the type of one item is `Copy`; of messages, only Protobuf's own small ones are.
pub(crate) fn is_copied(kind: &Kind) -> bool {
    match kind {
        Kind::Scalar(scalar) => !matches!(scalar, Scalar::String | Scalar::Bytes),
        Kind::Enumeration(_) => true,
        Kind::Message(name) => {
            let own = name.strip_prefix("google.protobuf.").unwrap_or_default();
            let is_number = own.ends_with("Value")
                && !matches!(own, "BytesValue" | "ListValue" | "StringValue" | "Value");
            is_number || matches!(own, "Duration" | "Empty" | "Timestamp")
        }
    }
}

/// A path as a string, the way attributes want it.
pub(crate) fn spaceless(path: &TokenStream) -> String {
    path.to_string().replace(' ', "")
}

fn word(kind: &Kind) -> TokenStream {
    match kind {
        Kind::Scalar(scalar) => scalar.word(),
        Kind::Enumeration(_) => quote!(int32),
        Kind::Message(_) => quote!(message),
    }
}

fn map_entry(key: Scalar, value: &Kind) -> String {
    let value = match value {
        Kind::Scalar(Scalar::Bytes) => "bytes".to_owned(),
        other => word(other).to_string(),
    };
    format!("{}, {value}", key.word())
}

fn is_packable(kind: &Kind) -> bool {
    match kind {
        Kind::Scalar(scalar) => scalar.is_number() || *scalar == Scalar::Bool,
        Kind::Enumeration(_) => true,
        Kind::Message(_) => false,
    }
}
