//! A consumer's replicas: which columns a copy has, and how it goes into them and comes out again.
//!
//! A scalar is a column of its own, so that SQL can join and filter by it. Whatever else there is (messages, lists, maps,
//! oneofs) is a BLOB: the copy with only that field set, encoded, which loses nothing and needs no format of its own.

use freehold_contract::model::{Consumer, Replica, WhenStale};
use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::{methods, types};
use crate::error::Error;
use crate::items::{Field, Kind, Member, Message, Package, Scalar, Shape};
use crate::names;
use crate::paths::Scope;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 14] = [
    "Column",
    "ColumnKind",
    "Copied",
    "Duration",
    "Message",
    "None",
    "Option",
    "Result",
    "Row",
    "Some",
    "StoreError",
    "Value",
    "Vec",
    "WhenStale",
];

/// `Copied` of each declared replica.
pub(crate) fn replicas(
    consumer: &Consumer,
    needs: &Package,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let mut copies = Vec::new();
    let mut has_blobs = false;
    for replica in &consumer.replicas {
        let declared = needs.all_messages().into_iter().find(|message| message.full_name == replica.name);
        let message = declared.ok_or_else(|| Error::Unknown(replica.name.clone()))?;
        has_blobs |= message.members.iter().any(|member| Column::of(member).is_blob());
        copies.push(copied(replica, message, consumer, scope)?);
    }
    let message = has_blobs.then(|| {
        quote!(
            use prost::Message;
        )
    });
    let imports = scope.imports();
    let damaged = has_blobs.then(damaged);
    Ok(quote! {
        use std::time::Duration;

        use freehold_replica::{Column, ColumnKind, Copied, WhenStale};
        use freehold_store::{Row, StoreError, Value};
        #message
        #imports
        #(#copies)*
        #damaged
    })
}

fn copied(
    replica: &Replica,
    message: &Message,
    consumer: &Consumer,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let path = scope.path(&replica.name)?;
    let (name, of, owner, consumer) = (&replica.name, &replica.of, &replica.owner, &consumer.name);
    let (table, key, key_column) = (names::table(&message.name), names::field(&replica.key), &replica.key);
    let (staleness, when_stale) = (staleness(replica), when_stale(replica));
    let columns: Vec<Column<'_>> = message.members.iter().map(Column::of).collect();
    let described = columns.iter().map(Column::description);
    let values = columns.iter().map(Column::value);
    let from_row = from_row(&columns);
    Ok(quote! {
        impl Copied for #path {
            const NAME: &'static str = #name;
            const OF: &'static str = #of;
            const OWNER: &'static str = #owner;
            const CONSUMER: &'static str = #consumer;
            const TABLE: &'static str = #table;
            const KEY: &'static str = #key_column;
            const COLUMNS: &'static [Column] = &[#(#described),*];
            const MAX_STALENESS: Option<Duration> = #staleness;
            const WHEN_STALE: WhenStale = WhenStale::#when_stale;

            fn key(&self) -> &str { &self.#key }

            fn values(&self) -> Vec<Value> { Vec::from([#(#values),*]) }

            #from_row
        }
    })
}

fn staleness(replica: &Replica) -> TokenStream {
    match replica.max_staleness.map(methods::duration) {
        Some(most) => quote!(Some(#most)),
        None => quote!(None),
    }
}

fn when_stale(replica: &Replica) -> TokenStream {
    match replica.when_stale {
        WhenStale::AskOwner => quote!(AskOwner),
        WhenStale::ServeStale => quote!(ServeStale),
        WhenStale::Fail => quote!(Fail),
    }
}

/// A column of a copy.
#[derive(Debug)]
enum Column<'a> {
    /// A scalar field, or an enum by its number.
    Scalar { field: &'a Field, scalar: Scalar },
    /// Anything else, by the name of the field or the oneof; `copied` where Rust copies it without being asked.
    Blob { name: &'a str, copied: bool },
}

impl<'a> Column<'a> {
    fn of(member: &'a Member) -> Self {
        match member {
            Member::Oneof(oneof) => Self::Blob { name: &oneof.name, copied: false },
            Member::Field(field) => match (&field.kind, field.shape) {
                (Kind::Scalar(scalar), Shape::Plain | Shape::Optional) => {
                    Self::Scalar { field, scalar: *scalar }
                }
                (Kind::Enumeration(_), Shape::Plain | Shape::Optional) => {
                    Self::Scalar { field, scalar: Scalar::Int32 }
                }
                (kind, shape) => Self::Blob {
                    name: &field.name,
                    copied: shape == Shape::Optional && types::is_copied(kind),
                },
            },
        }
    }

    fn is_blob(&self) -> bool {
        matches!(self, Self::Blob { .. })
    }

    fn description(&self) -> TokenStream {
        let (name, kind) = match self {
            Self::Blob { name, .. } => (*name, quote!(Blob)),
            Self::Scalar { field, scalar } => (field.name.as_str(), column_kind(*scalar)),
        };
        quote!(Column { name: #name, kind: ColumnKind::#kind })
    }

    /// The column's value out of `self`.
    fn value(&self) -> TokenStream {
        match self {
            Self::Blob { name, copied } => {
                let name = names::field(name);
                let clone = (!copied).then(|| quote!(.clone()));
                quote!(Value::from(Self { #name: self.#name #clone, ..Self::default() }.encode_to_vec()))
            }
            Self::Scalar { field, scalar } => {
                let name = names::field(&field.name);
                let stored = to_column(*scalar, &quote!(self.#name), field.shape == Shape::Optional);
                quote!(Value::from(#stored))
            }
        }
    }
}

/// The copy out of a row: scalars by column, then each BLOB merged into it.
fn from_row(columns: &[Column<'_>]) -> TokenStream {
    let (mut scalars, mut blobs) = (Vec::new(), Vec::new());
    for column in columns {
        match column {
            Column::Blob { name, .. } => blobs.push(quote! {
                copy.merge(row.take::<Vec<u8>>(#name)?.as_slice()).map_err(|error| damaged(#name, &error))?;
            }),
            Column::Scalar { field, scalar } => {
                let (name, column) = (names::field(&field.name), &field.name);
                let value = out_of_column(*scalar, column, field.shape == Shape::Optional);
                scalars.push(quote!(#name: #value));
            }
        }
    }
    let body = if blobs.is_empty() {
        quote!(Ok(Self { #(#scalars,)* }))
    } else {
        quote!(let mut copy = Self { #(#scalars,)* ..Self::default() }; #(#blobs)* Ok(copy))
    };
    quote!(fn from_row(row: &mut Row) -> Result<Self, StoreError> { #body })
}

/// How a BLOB that does not decode is reported.
pub(crate) fn damaged() -> TokenStream {
    quote! {
        fn damaged(column: &str, error: &prost::DecodeError) -> StoreError {
            StoreError::Decode { column: column.to_owned(), problem: format!("does not decode: {error}") }
        }
    }
}

fn column_kind(scalar: Scalar) -> TokenStream {
    match scalar {
        Scalar::String => quote!(Text),
        Scalar::Bytes => quote!(Blob),
        Scalar::Bool => quote!(Boolean),
        Scalar::Double | Scalar::Float => quote!(Double),
        _ => quote!(BigInt),
    }
}

/// A value as its column holds it. 64 bits without a sign keep their bits.
fn to_column(scalar: Scalar, value: &TokenStream, optional: bool) -> TokenStream {
    match scalar {
        Scalar::String | Scalar::Bytes => quote!(#value.clone()),
        Scalar::Uint64 | Scalar::Fixed64 if optional => quote!(#value.map(u64::cast_signed)),
        Scalar::Uint64 | Scalar::Fixed64 => quote!(#value.cast_signed()),
        Scalar::Float if optional => quote!(#value.map(f64::from)),
        Scalar::Float => quote!(f64::from(#value)),
        _ => value.clone(),
    }
}

/// The value of a column, read as the type that it was made from.
fn out_of_column(scalar: Scalar, column: &str, optional: bool) -> TokenStream {
    match scalar {
        Scalar::Uint64 | Scalar::Fixed64 if optional => {
            quote!(row.take::<Option<i64>>(#column)?.map(i64::cast_unsigned))
        }
        Scalar::Uint64 | Scalar::Fixed64 => quote!(row.take::<i64>(#column)?.cast_unsigned()),
        Scalar::Float if optional => quote!(row.take::<Option<f64>>(#column)?.map(|double| double as f32)),
        Scalar::Float => quote!(row.take::<f64>(#column)? as f32),
        _ => quote!(row.take(#column)?),
    }
}
