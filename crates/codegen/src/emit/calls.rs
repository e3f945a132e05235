//! The clients that a consumer calls by: one per service of which it declared a method.

use std::collections::{BTreeMap, BTreeSet};

use freehold_contract::model::{Consumer, Model, Service};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::emit::{contract, docs};
use crate::names;
use crate::paths::Crate;

/// `Calls` of a consumer; nothing where it calls nobody.
pub(crate) fn calls(consumer: &Consumer, model: &Model) -> Option<TokenStream> {
    let declared = declared(consumer, model);
    if declared.is_empty() {
        return None;
    }
    let names = field_names(&declared);
    let (mut fields, mut connects) = (Vec::new(), Vec::new());
    for ((service, methods), name) in declared.iter().zip(names) {
        let package = Crate::Consumer.package(&service.package);
        let client = names::service(names::simple(&service.name)).client;
        let docs = docs([format!("`{}`: {}.", service.name, methods.join(", "))]);
        fields.push(quote!(#docs pub #name: #package::#client));
        connects.push(quote!(#name: #package::#client::connect(mesh)?));
    }
    let docs = docs([
        format!("The services that `{}` calls, with the methods that its contract declares.", consumer.name),
        String::new(),
        "A call that is not declared there is refused by its owner.".to_owned(),
    ]);
    Some(quote! {
        use freehold_sdk::{Error, Mesh};

        #docs
        #[derive(Debug, Clone)]
        pub struct Calls { #(#fields,)* }

        impl Calls {
            /// Clients of all of them, where the mesh says that they are.
            ///
            /// # Errors
            /// The mesh does not know one of the services.
            pub fn connect(mesh: &Mesh) -> Result<Self, Error> {
                Ok(Self { #(#connects,)* })
            }
        }
    })
}

/// The services that are called, by name, each with the called methods.
fn declared<'a>(consumer: &Consumer, model: &'a Model) -> Vec<(&'a Service, Vec<String>)> {
    let calls = contract::calls(consumer, model);
    let services = model.owners.iter().flat_map(|owner| &owner.services);
    let called = services.filter_map(|service| {
        let methods = calls.iter().filter_map(|call| call.strip_prefix(&service.name)?.strip_prefix('/'));
        let methods: Vec<String> = methods.map(str::to_owned).collect();
        (!methods.is_empty()).then_some((service, methods))
    });
    let mut called: Vec<_> = called.collect();
    called.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    called
}

/// The name of each client; of two services of one name, with the package before it.
fn field_names(declared: &[(&Service, Vec<String>)]) -> Vec<Ident> {
    let short = |service: &Service| names::service(names::simple(&service.name)).module;
    let mut counts: BTreeMap<Ident, usize> = BTreeMap::new();
    for (service, _) in declared {
        *counts.entry(short(service)).or_default() += 1;
    }
    let shared: BTreeSet<Ident> =
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect();
    let name = |service: &Service| {
        let name = short(service);
        let package = service.package.replace('.', "_");
        if shared.contains(&name) { format_ident!("{package}_{}", names::plain(&name)) } else { name }
    };
    declared.iter().map(|(service, _)| name(service)).collect()
}
