//! Messages and their oneofs as plain structs and enums.

use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::{docs, enumeration, types};
use crate::error::Error;
use crate::items::{Enumeration, Field, Kind, Member, Message, Oneof};
use crate::names;
use crate::paths::{Crate, Scope};
use crate::traits::Traits;

/// Everything that a module declares: its messages, then its enums.
pub(crate) fn module(
    messages: &[Message],
    enums: &[Enumeration],
    traits: &Traits,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let messages: Vec<TokenStream> =
        messages.iter().map(|declared| message(declared, traits, scope)).collect::<Result<_, _>>()?;
    let enums = enums.iter().map(|declared| enumeration::enumeration(declared, scope));
    Ok(quote!(#(#messages)* #(#enums)*))
}

/// A message, then the module of what is declared in it.
fn message(message: &Message, traits: &Traits, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (docs, name) = (docs(&message.docs), names::type_name(&message.name));
    let members: Vec<TokenStream> = message
        .members
        .iter()
        .map(|member| self::member(message, member, scope))
        .collect::<Result<_, _>>()?;
    let eq = traits.is_eq(&message.full_name).then(|| quote!(Eq, Hash,));
    // A field that is added later may take `Copy` away; only the language itself, whose formats are stored, promises it.
    let copy = scope.krate == Crate::Wire && traits.is_copy(&message.full_name);
    let copy = copy.then(|| quote!(Copy,));
    let skip_debug = traits.has_own_debug(&message.full_name).then(|| quote!(#[prost(skip_debug)]));
    let nested = if message.has_module() { nested(message, traits, scope)? } else { TokenStream::new() };
    Ok(quote! {
        #docs
        #[non_exhaustive]
        #[derive(Clone, #copy PartialEq, #eq prost::Message)]
        #skip_debug
        pub struct #name { #(#members,)* }
        #nested
    })
}

fn member(message: &Message, member: &Member, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    match member {
        Member::Field(declared) => field(declared, scope),
        Member::Oneof(oneof) => {
            let (docs, name) = (docs(&oneof.docs), names::field(&oneof.name));
            let (module, choice) = (names::nested_module(&message.name), names::type_name(&oneof.type_name));
            let path = types::spaceless(&quote!(#module::#choice));
            let tags: Vec<String> = oneof.fields.iter().map(|field| field.number.to_string()).collect();
            let tags = tags.join(", ");
            let option = scope.prelude("Option");
            Ok(quote! {
                #docs
                #[prost(oneof = #path, tags = #tags)]
                pub #name: #option<#module::#choice>
            })
        }
    }
}

fn field(field: &Field, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let name = names::field(&field.name);
    let (docs, attribute, ty) = (field_docs(field), types::attribute(field), types::field(field, scope)?);
    Ok(quote! {
        #docs
        #attribute
        pub #name: #ty
    })
}

/// An enum field says how to read it.
fn field_docs(field: &Field) -> TokenStream {
    let own = docs(&field.docs);
    let Kind::Enumeration(name) = &field.kind else { return own };
    let name = names::type_name(names::simple(name));
    let hint = format!("A `{name}` by its number, also where this version does not know it.");
    let hint = docs(["", hint.as_str()]);
    quote!(#own #hint)
}

fn nested(message: &Message, traits: &Traits, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let inside = scope.inside(message);
    let docs = docs([format!("What is declared in `{}`.", names::type_name(&message.name))]);
    let module_name = names::nested_module(&message.name);
    let declared = module(&message.messages, &message.enums, traits, &inside)?;
    let oneofs: Vec<TokenStream> =
        message.oneofs().map(|declared| oneof(declared, traits, &inside)).collect::<Result<_, _>>()?;
    Ok(quote! {
        #docs
        pub mod #module_name {
            #declared
            #(#oneofs)*
        }
    })
}

fn oneof(oneof: &Oneof, traits: &Traits, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (docs, name) = (docs(&oneof.docs), names::type_name(&oneof.type_name));
    let variants: Vec<TokenStream> =
        oneof.fields.iter().map(|field| variant(field, scope)).collect::<Result<_, _>>()?;
    let eq = traits.is_eq_oneof(oneof).then(|| quote!(Eq, Hash,));
    let skip_debug = oneof.has_personal().then(|| quote!(#[prost(skip_debug)]));
    Ok(quote! {
        #docs
        #[non_exhaustive]
        #[derive(Clone, PartialEq, #eq prost::Oneof)]
        #skip_debug
        pub enum #name { #(#variants,)* }
    })
}

fn variant(field: &Field, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (docs, name) = (docs(&field.docs), names::type_name(&field.name));
    let (attribute, ty) = (types::variant_attribute(field, scope)?, types::field(field, scope)?);
    Ok(quote! {
        #docs
        #attribute
        #name(#ty)
    })
}
