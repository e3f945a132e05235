//! What the contract makes of a message: an entity, an event; and what of it stays with its owner.

use freehold_contract::model;
use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::docs;
use crate::error::Error;
use crate::items::{Field, Kind, Member, Message, Oneof, Scalar, Shape};
use crate::names;
use crate::paths::Scope;
use crate::traits::Traits;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 5] = ["Entity", "Event", "None", "Some", "String"];

/// `Entity` of a message.
pub(crate) fn entity(
    entity: &model::Entity,
    owner: &str,
    traits: &Traits,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let (path, name) = (scope.path(&entity.name)?, &entity.name);
    let (key, shared) = (names::field(&entity.key), shared(&entity.name, traits));
    Ok(quote! {
        impl Entity for #path {
            const NAME: &'static str = #name;
            const OWNER: &'static str = #owner;

            fn key(&self) -> &str { &self.#key }

            #shared
        }
    })
}

/// `Event` of a message.
pub(crate) fn event(
    event: &model::Event,
    owner: &str,
    traits: &Traits,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let (path, name, entity) = (scope.path(&event.name)?, &event.name, &event.of);
    let (key, shared) = (names::field(&event.key), shared(&event.name, traits));
    Ok(quote! {
        impl Event for #path {
            const NAME: &'static str = #name;
            const ENTITY: &'static str = #entity;
            const OWNER: &'static str = #owner;

            fn key(&self) -> &str { &self.#key }

            #shared
        }
    })
}

fn shared(message: &str, traits: &Traits) -> TokenStream {
    let without = traits.has_private(message).then(|| quote!(.without_private()));
    quote!(fn shared(&self) -> Self { self.clone() #without })
}

/// How a message loses what its owner keeps to itself; for messages that have, or hold, private fields.
pub(crate) fn without_private(
    message: &Message,
    traits: &Traits,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let path = scope.path(&message.full_name)?;
    let mut steps = Vec::new();
    for member in &message.members {
        match member {
            Member::Field(field) if field.rules.private => steps.push(cleared(field)),
            Member::Field(field) => steps.extend(nested(field, traits, scope)?),
            Member::Oneof(oneof) => steps.extend(choice(message, oneof, traits, scope)?),
        }
    }
    let docs = docs(["The message without what its owner keeps to itself: what may leave the owner."]);
    Ok(quote! {
        impl #path {
            #docs
            #[must_use]
            pub fn without_private(mut self) -> Self { #(#steps)* self }
        }
    })
}

fn cleared(field: &Field) -> TokenStream {
    let name = names::field(&field.name);
    match (field.shape, &field.kind) {
        (Shape::Repeated { .. } | Shape::Map(_), _)
        | (Shape::Plain, Kind::Scalar(Scalar::String | Scalar::Bytes)) => quote!(self.#name.clear();),
        (Shape::Plain, Kind::Scalar(Scalar::Bool)) => quote!(self.#name = false;),
        (Shape::Plain, Kind::Scalar(Scalar::Double | Scalar::Float)) => quote!(self.#name = 0.0;),
        (Shape::Plain, Kind::Scalar(_) | Kind::Enumeration(_)) => quote!(self.#name = 0;),
        (Shape::Optional, _) | (Shape::Plain, Kind::Message(_)) => quote!(self.#name = None;),
    }
}

/// The same for the messages that a field holds.
fn nested(field: &Field, traits: &Traits, scope: &Scope<'_>) -> Result<Option<TokenStream>, Error> {
    let Some(held) = field.message().filter(|held| traits.has_private(held)) else { return Ok(None) };
    let (name, held) = (names::field(&field.name), scope.path(held)?);
    Ok(Some(match field.shape {
        Shape::Optional if field.boxed => {
            quote!(self.#name = self.#name.map(|held| Box::new(held.without_private()));)
        }
        Shape::Map(_) => quote! {
            self.#name = self.#name.into_iter().map(|(key, held)| (key, held.without_private())).collect();
        },
        Shape::Repeated { .. } => {
            quote!(self.#name = self.#name.into_iter().map(#held::without_private).collect();)
        }
        Shape::Optional | Shape::Plain => quote!(self.#name = self.#name.map(#held::without_private);),
    }))
}

/// The same for a oneof: a private choice is none, a message in one loses its private fields.
fn choice(
    message: &Message,
    oneof: &Oneof,
    traits: &Traits,
    scope: &Scope<'_>,
) -> Result<Option<TokenStream>, Error> {
    let (name, choice) = (names::field(&oneof.name), scope.choice(message, oneof)?);
    let mut arms = Vec::new();
    for field in &oneof.fields {
        let variant = names::type_name(&field.name);
        if field.rules.private {
            arms.push(quote!(Some(#choice::#variant(_)) => None));
        } else if field.message().is_some_and(|held| traits.has_private(held)) {
            let held = if field.boxed {
                quote!(Box::new(held.without_private()))
            } else {
                quote!(held.without_private())
            };
            arms.push(quote!(Some(#choice::#variant(held)) => Some(#choice::#variant(#held))));
        }
    }
    Ok((!arms.is_empty()).then(|| quote!(self.#name = match self.#name { #(#arms,)* other => other };)))
}
