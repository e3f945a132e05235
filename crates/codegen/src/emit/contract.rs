//! The contracts of the mesh as one constant: what servers decide access from.

use std::collections::BTreeSet;

use freehold_contract::model::{Consumer, Field, Model, Need, Owner, Replica, View};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::names;

/// The module of the constant.
pub(crate) fn contract(model: &Model) -> TokenStream {
    let owners = model.owners.iter().map(owner);
    let consumers = model.consumers.iter().map(|consumer| self::consumer(consumer, model));
    let shared = model.owners.iter().any(|owner| !owner.entities.is_empty() || !owner.events.is_empty());
    let shared = shared.then(|| quote!(SharedType));
    let taken =
        model.consumers.iter().any(|consumer| !consumer.views.is_empty() || !consumer.replicas.is_empty());
    let (entitles, purpose) = (taken.then(|| quote!(Entitlement,)), taken.then(|| quote!(Purpose,)));
    let consumes = (!model.consumers.is_empty()).then(|| quote!(Consumer,));
    quote! {
        use freehold_wire::contract::{#consumes Contract, #entitles Owner, #purpose #shared};

        /// The contracts of the mesh: who owns what, and who declared which need of it.
        pub const CONTRACT: Contract = Contract {
            owners: &[#(#owners),*],
            consumers: &[#(#consumers),*],
            descriptors: include_bytes!("descriptors.bin"),
        };
    }
}

fn owner(owner: &Owner) -> TokenStream {
    let (name, contact) = (&owner.name, &owner.contact);
    let services = owner.services.iter().map(|service| &service.name);
    let methods = owner.services.iter().flat_map(|service| {
        let package = names::package_modules(&service.package);
        let module = names::service(names::simple(&service.name)).module;
        service.methods.iter().map(move |method| {
            let constant = names::constant(&method.name);
            quote!(*crate #(::#package)* ::methods::#module::#constant.rules())
        })
    });
    let entities =
        owner.entities.iter().map(|entity| shared_type(&entity.name, &entity.name, &entity.fields));
    let events = owner.events.iter().map(|event| shared_type(&event.name, &event.of, &event.fields));
    quote! {
        Owner {
            name: #name,
            contact: #contact,
            services: &[#(#services),*],
            methods: &[#(#methods),*],
            entities: &[#(#entities),*],
            events: &[#(#events),*],
        }
    }
}

fn shared_type(name: &str, entity: &str, fields: &[Field]) -> TokenStream {
    let shared = numbers(fields.iter().filter(|field| !field.private));
    let personal = fields.iter().any(|field| field.personal && !field.private);
    quote!(SharedType { name: #name, entity: #entity, shared: #shared, personal: #personal })
}

fn consumer(consumer: &Consumer, model: &Model) -> TokenStream {
    let (name, file) = (&consumer.name, &consumer.file);
    let calls = calls(consumer, model);
    let views = consumer.views.iter().map(|View { of, fields, .. }| entitlement(of, fields, &quote!(View)));
    let replicas =
        consumer.replicas.iter().map(|Replica { of, fields, .. }| entitlement(of, fields, &quote!(Replica)));
    quote! {
        Consumer {
            name: #name,
            file: #file,
            calls: &[#(#calls),*],
            entitlements: &[#(#views,)* #(#replicas),*],
        }
    }
}

/// What the consumer may call: its calls, the steps of its sagas, and what takes those back. Each once, as declared.
pub(crate) fn calls(consumer: &Consumer, model: &Model) -> Vec<String> {
    let declared = |need: &Need| need.method.clone();
    let undo = |need: &Need| {
        let services = model.owners.iter().flat_map(|owner| &owner.services);
        let mut methods = services.flat_map(|service| &service.methods);
        methods.find(|method| method.full_name == need.method).and_then(|method| method.rules.undo.clone())
    };
    let steps = || consumer.steps.iter();
    let all =
        consumer.calls.iter().map(declared).chain(steps().map(declared)).chain(steps().filter_map(undo));
    let mut seen = BTreeSet::new();
    all.filter(|method| seen.insert(method.clone())).collect()
}

fn entitlement(of: &str, fields: &[Field], purpose: &TokenStream) -> TokenStream {
    let fields = numbers(fields);
    quote!(Entitlement { of: #of, fields: #fields, purpose: Purpose::#purpose })
}

fn numbers<'a>(fields: impl IntoIterator<Item = &'a Field>) -> TokenStream {
    let numbers = fields.into_iter().map(|field| Literal::u32_unsuffixed(field.number));
    quote!(&[#(#numbers),*])
}
