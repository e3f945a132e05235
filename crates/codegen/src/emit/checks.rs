//! The limits of `(freehold.v1.field)` as `Check`, which a server runs before a handler sees a request.
//!
//! **Invariant:** no limit is dropped in silence: one that its field's type has no use for is an error.

use freehold_contract::language::FieldRules;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::emit::number;
use crate::error::Error;
use crate::items::{Field, Kind, Member, Message, Scalar, Shape};
use crate::names;
use crate::paths::Scope;
use crate::traits::Traits;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 3] = ["Check", "Some", "Violations"];

/// `Check` of a message; empty where it has no limits.
pub(crate) fn check(message: &Message, traits: &Traits, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let path = scope.path(&message.full_name)?;
    let mut checks = Vec::new();
    for member in &message.members {
        match member {
            Member::Field(declared) => checks.extend(field(declared, message, traits)?),
            Member::Oneof(oneof) => {
                let (choice, name) = (scope.choice(message, oneof)?, names::field(&oneof.name));
                for field in &oneof.fields {
                    let inside = value(field, message, traits, &Access::borrowed(field))?;
                    if !inside.is_empty() {
                        let variant = names::type_name(&field.name);
                        checks.push(
                            quote!(if let Some(#choice::#variant(value)) = &self.#name { #(#inside)* }),
                        );
                    }
                }
            }
        }
    }
    let violations = if checks.is_empty() { quote!(_) } else { quote!(violations) };
    Ok(quote! {
        impl Check for #path {
            fn check(&self, #violations: &mut Violations) { #(#checks)* }
        }
    })
}

/// How a check gets at one value.
struct Access {
    /// The value's name in a violation.
    label: TokenStream,
    /// The value of a number.
    copied: TokenStream,
    /// A reference to the value.
    borrowed: TokenStream,
    /// What a method of the value is called on.
    receiver: TokenStream,
}

impl Access {
    /// The field itself.
    fn direct(field: &Field) -> Self {
        let (label, ident) = (&field.name, names::field(&field.name));
        let receiver = quote!(self.#ident);
        Self { label: quote!(#label), copied: receiver.clone(), borrowed: quote!(&#receiver), receiver }
    }

    /// What a pattern has bound to `value`.
    fn borrowed(field: &Field) -> Self {
        let label = &field.name;
        let borrowed = if field.boxed { quote!(&**value) } else { quote!(value) };
        Self { label: quote!(#label), copied: quote!(*value), borrowed, receiver: quote!(value) }
    }

    /// An item of a list or a map, by what a pattern has bound to `place`. Its name is formatted only where there is a
    /// violation.
    fn item(field: &Field, place: &str) -> Self {
        let label = format!("{}[{{{place}}}]", field.name);
        Self { label: quote!(format_args!(#label)), ..Self::borrowed(field) }
    }
}

fn field(field: &Field, message: &Message, traits: &Traits) -> Result<Vec<TokenStream>, Error> {
    let (label, ident) = (&field.name, names::field(&field.name));
    if field.shape == Shape::Plain {
        return value(field, message, traits, &Access::direct(field));
    }
    let mut checks = Vec::new();
    if field.rules.required {
        let present = if field.shape == Shape::Optional { quote!(is_some()) } else { quote!(is_empty()) };
        let not = (field.shape != Shape::Optional).then(|| quote!(!));
        checks.push(quote!(violations.required(#label, #not self.#ident.#present);));
    }
    if let Some(most) = field.rules.max_items {
        if field.shape == Shape::Optional {
            return Err(misplaced(field, message));
        }
        let most = number(most);
        checks.push(quote!(violations.max_items(#label, self.#ident.len(), #most);));
    }
    if field.shape == Shape::Map(Scalar::String) {
        checks.push(quote!(for key in self.#ident.keys() { violations.text(#label, key); }));
    }
    checks.extend(held(field, message, traits)?);
    Ok(checks)
}

/// The checks of what an optional field, a list or a map holds.
fn held(field: &Field, message: &Message, traits: &Traits) -> Result<Option<TokenStream>, Error> {
    let (label, ident) = (&field.name, names::field(&field.name));
    let is_message = field.message().is_some();
    let is_list_of_texts = matches!(field.shape, Shape::Repeated { .. }) && has_length(&field.kind);
    let is_map_of_texts = matches!(field.shape, Shape::Map(_))
        && field.kind == Kind::Scalar(Scalar::String)
        && field.rules.max_length.is_none();
    let required = field.rules.required && is_list_of_texts;
    let rules = FieldRules { required, max_items: None, ..field.rules.clone() };
    let single = Field { shape: Shape::Plain, rules, ..field.clone() };
    let access = match field.shape {
        _ if is_list_of_texts => Access::item(field, "index"),
        _ if is_map_of_texts => Access::item(field, "key"),
        _ => Access::borrowed(field),
    };
    let checks = value(&single, message, traits, &access)?;
    if checks.is_empty() {
        return Ok(None);
    }
    match field.shape {
        Shape::Repeated { .. } if is_list_of_texts => {
            Ok(Some(quote!(for (index, value) in self.#ident.iter().enumerate() { #(#checks)* })))
        }
        Shape::Map(_) if is_map_of_texts => {
            Ok(Some(quote!(for (key, value) in &self.#ident { #(#checks)* })))
        }
        Shape::Repeated { .. } if is_message => {
            Ok(Some(quote!(violations.each(#label, self.#ident.iter().enumerate());)))
        }
        Shape::Map(_) if is_message => Ok(Some(quote!(violations.each(#label, &self.#ident);))),
        Shape::Repeated { .. } | Shape::Map(_) => Err(misplaced(field, message)),
        Shape::Plain | Shape::Optional => Ok(Some(quote!(if let Some(value) = &self.#ident { #(#checks)* }))),
    }
}

/// The checks of one value.
fn value(
    field: &Field,
    message: &Message,
    traits: &Traits,
    access: &Access,
) -> Result<Vec<TokenStream>, Error> {
    let rules = &field.rules;
    let Access { label, copied, borrowed, .. } = access;
    let mut checks = Vec::new();
    if rules.required {
        let present = present(&field.kind, access);
        checks.push(quote!(violations.required(#label, #present);));
    }
    for (limit, method) in [(rules.min, quote!(min)), (rules.max, quote!(max))] {
        if let Some(limit) = limit {
            let limit = literal(&field.kind, limit).ok_or_else(|| misplaced(field, message))?;
            checks.push(quote!(violations.#method(#label, #copied, #limit);));
        }
    }
    if let Some(most) = rules.max_length {
        let method = match field.kind {
            Kind::Scalar(Scalar::String) => quote!(max_chars),
            Kind::Scalar(Scalar::Bytes) => quote!(max_bytes),
            _ => return Err(misplaced(field, message)),
        };
        let most = number(most);
        checks.push(quote!(violations.#method(#label, #borrowed, #most);));
    } else if field.kind == Kind::Scalar(Scalar::String) {
        checks.push(quote!(violations.text(#label, #borrowed);));
    }
    if rules.max_items.is_some() {
        return Err(misplaced(field, message));
    }
    if field.message().is_some_and(|name| traits.has_limits(name)) {
        checks.push(quote!(violations.nested(#label, #borrowed);));
    }
    Ok(checks)
}

fn has_length(kind: &Kind) -> bool {
    matches!(kind, Kind::Scalar(Scalar::String | Scalar::Bytes))
}

/// Whether a value that cannot be unset is there: not empty, not zero.
fn present(kind: &Kind, access: &Access) -> TokenStream {
    let Access { copied, receiver, .. } = access;
    match kind {
        Kind::Scalar(Scalar::String | Scalar::Bytes) => quote!(!#receiver.is_empty()),
        Kind::Scalar(Scalar::Bool) => copied.clone(),
        Kind::Scalar(Scalar::Double | Scalar::Float) => quote!(#copied != 0.0),
        Kind::Scalar(_) | Kind::Enumeration(_) => quote!(#copied != 0),
        Kind::Message(_) => quote!(true),
    }
}

/// A limit as a number of the field's type; `None` where the type has no such number.
fn literal(kind: &Kind, limit: i64) -> Option<Literal> {
    let fits = match kind {
        Kind::Enumeration(_) => i32::try_from(limit).is_ok(),
        Kind::Scalar(Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32) => i32::try_from(limit).is_ok(),
        Kind::Scalar(Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64) => true,
        Kind::Scalar(Scalar::Uint32 | Scalar::Fixed32) => u32::try_from(limit).is_ok(),
        Kind::Scalar(Scalar::Uint64 | Scalar::Fixed64) => u64::try_from(limit).is_ok(),
        Kind::Scalar(Scalar::Double | Scalar::Float) => {
            return format!("{limit}.0").parse().ok();
        }
        Kind::Scalar(Scalar::Bool | Scalar::String | Scalar::Bytes) | Kind::Message(_) => false,
    };
    fits.then(|| number(limit))
}

fn misplaced(field: &Field, message: &Message) -> Error {
    Error::Unsupported {
        item: format!("{}.{}", message.full_name, field.name),
        feature: "a limit that its type has no use for",
        instead: "remove the limit, or give the field a type that it limits",
    }
}
