//! How fields are set and enum fields are read: one `with_` method per field, so that a message can get a new field
//! without breaking whoever builds it, and one accessor per enum field, which tells an unknown value from a known one.

use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::{docs, types};
use crate::error::Error;
use crate::items::{Field, Kind, Member, Message, Oneof, Shape};
use crate::names;
use crate::paths::Scope;

/// Names that the file of the setters has a use for itself.
pub(crate) const RESERVED: [&str; 11] = [
    "Box",
    "Into",
    "IntoIterator",
    "Iterator",
    "None",
    "Option",
    "Result",
    "Some",
    "String",
    "TryFrom",
    "Vec",
];

/// The methods of a message; nothing where it has no fields.
pub(crate) fn methods(message: &Message, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    if message.members.is_empty() {
        return Ok(TokenStream::new());
    }
    let name = scope.path(&message.full_name)?;
    let mut methods = Vec::new();
    for member in &message.members {
        match member {
            Member::Field(field) => {
                methods.push(setter(field, scope)?);
                methods.extend(accessor(field, scope)?);
            }
            Member::Oneof(oneof) => methods.extend(choice_setters(message, oneof, scope)?),
        }
    }
    Ok(quote! {
        impl #name { #(#methods)* }
    })
}

fn setter(field: &Field, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (docs, method, name) = (docs(&field.docs), names::setter(&field.name), names::field(&field.name));
    let item = types::item(&field.kind, scope)?;
    let (parameter, value) = match field.shape {
        Shape::Plain if is_copied(&field.kind) => (quote!(#item), quote!(#name)),
        Shape::Plain => (quote!(impl Into<#item>), quote!(#name.into())),
        Shape::Optional if field.boxed => (quote!(impl Into<#item>), quote!(Some(Box::new(#name.into())))),
        Shape::Optional => (quote!(impl Into<#item>), quote!(Some(#name.into()))),
        Shape::Repeated { .. } => (
            quote!(impl IntoIterator<Item = impl Into<#item>>),
            quote!(#name.into_iter().map(Into::into).collect()),
        ),
        Shape::Map(key) => {
            let key = key.rust(scope);
            (
                quote!(impl IntoIterator<Item = (impl Into<#key>, impl Into<#item>)>),
                quote!(#name.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
            )
        }
    };
    Ok(quote! {
        #docs
        #[must_use]
        pub fn #method(mut self, #name: #parameter) -> Self {
            self.#name = #value;
            self
        }
    })
}

/// Numbers and flags are given as they are: nothing else turns into them by accident.
fn is_copied(kind: &Kind) -> bool {
    matches!(kind, Kind::Scalar(_)) && types::is_copied(kind)
}

/// A oneof is set whole, or by one of its fields.
fn choice_setters(message: &Message, oneof: &Oneof, scope: &Scope<'_>) -> Result<Vec<TokenStream>, Error> {
    let (doc, method, name) = (docs(&oneof.docs), names::setter(&oneof.name), names::field(&oneof.name));
    let choice = scope.choice(message, oneof)?;
    let mut setters = vec![quote! {
        #doc
        #[must_use]
        pub fn #method(mut self, #name: #choice) -> Self {
            self.#name = Some(#name);
            self
        }
    }];
    for field in &oneof.fields {
        setters.push(variant_setter(field, oneof, &choice, scope)?);
    }
    Ok(setters)
}

fn variant_setter(
    field: &Field,
    oneof: &Oneof,
    choice: &TokenStream,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let (docs, method, name) = (docs(&field.docs), names::setter(&field.name), names::field(&field.name));
    let (variant, member) = (names::type_name(&field.name), names::field(&oneof.name));
    let item = types::item(&field.kind, scope)?;
    let (parameter, value) = match is_copied(&field.kind) {
        true => (quote!(#item), quote!(#name)),
        false if field.boxed => (quote!(impl Into<#item>), quote!(Box::new(#name.into()))),
        false => (quote!(impl Into<#item>), quote!(#name.into())),
    };
    Ok(quote! {
        #docs
        #[must_use]
        pub fn #method(mut self, #name: #parameter) -> Self {
            self.#member = Some(#choice::#variant(#value));
            self
        }
    })
}

/// Reads an enum field; nothing for a field of another kind, and for a map, whose values are read one by one.
fn accessor(field: &Field, scope: &Scope<'_>) -> Result<Option<TokenStream>, Error> {
    let Kind::Enumeration(full_name) = &field.kind else { return Ok(None) };
    let (own, enumeration, name) = (docs(&field.docs), scope.path(full_name)?, names::field(&field.name));
    let read = quote!(Result<#enumeration, prost::UnknownEnumValue>);
    let (unknown, method, answer, body) = match field.shape {
        Shape::Plain => (
            docs(["", "# Errors", "The number, where this version does not know the value."]),
            name.clone(),
            read,
            quote!(#enumeration::try_from(self.#name)),
        ),
        Shape::Optional => (
            docs(["", "`None` where it is unset, an error where this version does not know the value."]),
            names::optional_accessor(&field.name),
            quote!(Option<#read>),
            quote!(self.#name.map(#enumeration::try_from)),
        ),
        Shape::Repeated { .. } => (
            docs(["", "An item is an error where this version does not know the value."]),
            name.clone(),
            quote!(impl Iterator<Item = #read>),
            quote!(self.#name.iter().copied().map(#enumeration::try_from)),
        ),
        Shape::Map(_) => return Ok(None),
    };
    let must_use = (field.shape == Shape::Optional).then(|| quote!(#[must_use]));
    Ok(Some(quote! {
        #own
        #unknown
        #must_use
        pub fn #method(&self) -> #answer { #body }
    }))
}
