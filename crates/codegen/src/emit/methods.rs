//! The methods of a service as constants: where each one is, and how the contract lets it be called.

use std::time::Duration;

use freehold_contract::model::{Cache, Effect, Method, Service};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::emit::docs;
use crate::error::Error;
use crate::names;
use crate::paths::Scope;

/// Names that the module has a use for itself.
pub(crate) const RESERVED: [&str; 7] =
    ["Access", "Cache", "Criticality", "Duration", "Method", "Retry", "Rules"];

/// The module of a service's methods.
pub(crate) fn module(service: &Service, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let docs = docs([format!("The methods of `{}`.", service.name)]);
    let module = names::service(names::simple(&service.name)).module;
    let wire = scope.krate.wire();
    let methods: Vec<TokenStream> =
        service.methods.iter().map(|method| constant(method, scope)).collect::<Result<_, _>>()?;
    let imports = scope.imports();
    let uses = (!methods.is_empty()).then(|| {
        let cache = service.methods.iter().any(|method| method.rules.cache.is_some()).then(|| quote!(Cache,));
        quote! {
            use std::time::Duration;
            use #wire::{Access, #cache Criticality, Method, Retry, Rules};
            #imports
        }
    });
    Ok(quote! {
        #docs
        pub mod #module {
            #uses
            #(#methods)*
        }
    })
}

fn constant(method: &Method, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (docs, name) = (docs(method_docs(method)), names::constant(&method.name));
    let (request, reply) = (scope.path(&method.request)?, scope.path(&method.reply)?);
    let path = format!("/{}", method.full_name);
    let (deadline, min_deadline) = (duration(method.rules.deadline), duration(method.rules.min_deadline));
    let retry = match method.effect {
        Effect::Read => quote!(Safe),
        Effect::Idempotent => quote!(Idempotent),
        Effect::Keyed => quote!(Keyed),
        Effect::AtMostOnce | Effect::Undeclared => quote!(Never),
    };
    let cache = method.rules.cache.as_ref().map_or_else(|| quote!(None), cache);
    let access = if method.rules.public { quote!(Public) } else { quote!(Declared) };
    let criticality = match method.rules.criticality {
        1 => quote!(Sheddable),
        3 => quote!(Critical),
        _ => quote!(Default),
    };
    let streams = method.client_streaming || method.server_streaming;
    Ok(quote! {
        #docs
        pub const #name: Method<#request, #reply> = Method::new(Rules {
            path: #path,
            deadline: #deadline,
            min_deadline: #min_deadline,
            retry: Retry::#retry,
            access: Access::#access,
            cache: #cache,
            criticality: Criticality::#criticality,
            streams: #streams,
        });
    })
}

fn cache(rules: &Cache) -> TokenStream {
    let (ttl, entity, owner) = (duration(rules.ttl), &rules.entity, &rules.owner);
    let key = match rules.key.map(Literal::u32_unsuffixed) {
        Some(number) => quote!(Some(#number)),
        None => quote!(None),
    };
    quote!(Some(Cache { ttl: #ttl, entity: #entity, owner: #owner, key: #key }))
}

/// A method's docs, or the sentence that stands in for them.
pub(crate) fn method_docs(method: &Method) -> Vec<String> {
    documented(&method.docs, || format!("The method `{}`.", method.full_name))
}

/// A service's docs, or the sentence that stands in for them.
pub(crate) fn service_docs(service: &Service) -> Vec<String> {
    documented(&service.docs, || format!("The service `{}`.", service.name))
}

fn documented(lines: &[String], otherwise: impl FnOnce() -> String) -> Vec<String> {
    if lines.is_empty() { vec![otherwise()] } else { crate::docs::escape(lines.iter().map(String::as_str)) }
}

/// A duration in the coarsest unit that tells it exactly.
pub(crate) fn duration(duration: Duration) -> TokenStream {
    let nanos = duration.as_nanos();
    let units =
        [(1_000_000_000, quote!(from_secs)), (1_000_000, quote!(from_millis)), (1_000, quote!(from_micros))];
    if nanos == 0 {
        return quote!(Duration::ZERO);
    }
    for (unit, constructor) in units {
        if nanos.is_multiple_of(unit) {
            let count = Literal::u128_unsuffixed(nanos / unit);
            return quote!(Duration::#constructor(#count));
        }
    }
    let nanos = Literal::u128_unsuffixed(nanos);
    quote!(Duration::from_nanos(#nanos))
}
