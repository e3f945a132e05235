//! The files of one package: its messages, what is said of them, and its services.

use std::collections::BTreeSet;

use freehold_contract::model::{Model, Owner, Service};
use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::modules::Folder;
use crate::emit::{checks, client, debug, entities, fields, messages, methods, server};
use crate::error::Error;
use crate::items::Package;
use crate::names::{self, ServiceNames};
use crate::output::Files;
use crate::paths::{Crate, Homes, Scope};
use crate::traits::Traits;

/// What all packages share while they are written.
#[derive(Debug, Clone)]
pub(crate) struct World<'a> {
    pub(crate) model: &'a Model,
    pub(crate) homes: Homes,
    pub(crate) traits: Traits,
    /// The packages of the SDK, by name.
    pub(crate) packages: Vec<Package>,
    /// The package of the contract language.
    pub(crate) language: Package,
}

impl World<'_> {
    /// The same with the messages of a consumer's needs, which only that consumer sees.
    pub(crate) fn with(&self, needs: &Package) -> Self {
        let (mut homes, mut traits) = (self.homes.clone(), self.traits.clone());
        homes.add(needs);
        traits.add(needs);
        Self { homes, traits, ..self.clone() }
    }

    pub(crate) fn owner(&self, package: &str) -> Option<&Owner> {
        self.model.owners.iter().find(|owner| owner.packages.iter().any(|own| own == package))
    }

    /// The messages that servers check: requests, and what is in them as far as it has limits.
    fn checked<'a>(&'a self, services: &'a [Service]) -> BTreeSet<&'a str> {
        let of_owners = self.model.owners.iter().flat_map(|owner| &owner.services);
        let methods = of_owners.chain(services).flat_map(|service| &service.methods);
        let requests: BTreeSet<&str> = methods.map(|method| method.request.as_str()).collect();
        let mut checked = self.traits.within(requests.iter().copied());
        checked.retain(|name| requests.contains(name) || self.traits.has_limits(name));
        checked
    }
}

/// Writes a package of the SDK into a folder.
pub(crate) fn sdk(
    package: &Package,
    folder: &str,
    world: &World<'_>,
    files: &mut Files,
) -> Result<(), Error> {
    let mut modules = data(package, folder, Crate::Sdk, world, files)?;
    modules.packages(&world.packages, &names::package_modules(&package.name));
    if !package.services.is_empty() {
        services(package, folder, world, files, &mut modules)?;
    }
    let mut title = match world.owner(&package.name) {
        Some(owner) => vec![format!("Package `{}`, owned by `{}`.", package.name, owner.name)],
        None => vec![format!("Package `{}`: types that several owners share.", package.name)],
    };
    if !package.docs.is_empty() {
        title.push(String::new());
        title.extend(package.docs.iter().cloned());
    }
    files.rust(&format!("{folder}/mod.rs"), &title, &modules.tokens())
}

/// Writes the messages of a package and what is said of them; answers which modules there are.
pub(crate) fn data(
    package: &Package,
    folder: &str,
    krate: Crate,
    world: &World<'_>,
    files: &mut Files,
) -> Result<Folder, Error> {
    let scope = Scope::messages(&world.homes, krate, package);
    let declared = messages::module(&package.messages, &package.enums, &world.traits, &scope)?;
    let mut modules = Folder::default();
    if !declared.is_empty() {
        let title = format!("The messages of `{}`.", package.name);
        let lints = lints(package);
        files.rust(&format!("{folder}/messages.rs"), &[title], &quote!(#lints #declared))?;
        modules.private("messages", None);
        modules.export("messages", &[], None);
    }
    let besides = [
        ("checks", "The limits that requests are checked against", check_file(package, krate, world)?),
        (
            "debug",
            "How messages with enums or personal data show themselves",
            debug_file(package, krate, world)?,
        ),
        ("entities", "What the contract makes of the messages", entity_file(package, krate, world)?),
        ("fields", "How fields are set, and enums read", field_file(package, krate, world)?),
    ];
    for (name, title, items) in besides {
        if !items.is_empty() {
            files.rust(&format!("{folder}/{name}.rs"), &[format!("{title}: `{}`.", package.name)], &items)?;
            modules.private(name, None);
        }
    }
    Ok(modules)
}

/// Whether a variant is too large for the lint, its message's fields decide, in another file or another day: it cannot
/// be expected, only allowed.
fn lints(package: &Package) -> Option<TokenStream> {
    let messages = package.all_messages();
    let mut choices = messages.iter().flat_map(|message| message.oneofs()).flat_map(|oneof| &oneof.fields);
    choices
        .any(|field| field.message().is_some() && !field.boxed)
        .then(|| quote!(#![allow(clippy::large_enum_variant, reason = "a oneof holds messages as they are")]))
}

fn services(
    package: &Package,
    folder: &str,
    world: &World<'_>,
    files: &mut Files,
    modules: &mut Folder,
) -> Result<(), Error> {
    let (name, services) = (&package.name, package.services.as_slice());
    let beside = |reserved| Scope::beside(&world.homes, Crate::Sdk, name, quote!(super::messages), reserved);
    let owner = world.owner(name).map(|owner| owner.name.as_str());

    let items = methods_file(services, || {
        Scope::beside(&world.homes, Crate::Sdk, name, quote!(super::super::messages), &methods::RESERVED)
    })?;
    files.rust(&format!("{folder}/methods.rs"), &[format!("The methods of `{name}`.")], &items)?;
    modules.public(&names::field("methods"));

    let items = client_file(services, owner, &quote!(super::methods), &beside(&client::RESERVED))?;
    files.rust(&format!("{folder}/client.rs"), &[format!("The clients of `{name}`.")], &items)?;

    let items = server_file(services, &world.traits, &quote!(super::methods), &beside(&server::RESERVED))?;
    files.rust(&format!("{folder}/server.rs"), &[format!("The server side of `{name}`.")], &items)?;

    let named: Vec<ServiceNames> =
        services.iter().map(|service| names::service(names::simple(&service.name))).collect();
    let clients: Vec<_> = named.iter().flat_map(|names| [names.client.clone(), names.stub.clone()]).collect();
    let servers: Vec<_> =
        named.iter().flat_map(|names| [names.service.clone(), names.server.clone()]).collect();
    for (module, public) in [("client", clients), ("server", servers)] {
        modules.private(module, Some(module));
        modules.export(module, &public, Some(module));
    }
    Ok(())
}

pub(crate) fn methods_file<'a>(
    services: &[Service],
    scope: impl Fn() -> Scope<'a>,
) -> Result<TokenStream, Error> {
    // Each service has a module, and each module its own imports.
    let modules: Vec<TokenStream> =
        services.iter().map(|service| methods::module(service, &scope())).collect::<Result<_, _>>()?;
    Ok(quote!(#(#modules)*))
}

pub(crate) fn client_file(
    services: &[Service],
    owner: Option<&str>,
    methods: &TokenStream,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let clients: Vec<TokenStream> =
        services.iter().map(|service| client::client(service, owner, scope)).collect::<Result<_, _>>()?;
    let uses = client::uses(services, owner.is_some(), methods, scope);
    Ok(quote!(#uses #(#clients)*))
}

pub(crate) fn server_file(
    services: &[Service],
    traits: &Traits,
    methods: &TokenStream,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let servers: Vec<TokenStream> =
        services.iter().map(|service| server::server(service, traits, scope)).collect::<Result<_, _>>()?;
    let uses = server::uses(services, methods, scope);
    Ok(quote!(#uses #(#servers)*))
}

fn field_file(package: &Package, krate: Crate, world: &World<'_>) -> Result<TokenStream, Error> {
    let scope = Scope::beside(&world.homes, krate, &package.name, quote!(super::messages), &fields::RESERVED);
    let methods: Vec<TokenStream> = package
        .all_messages()
        .into_iter()
        .map(|message| fields::methods(message, &scope))
        .collect::<Result<_, _>>()?;
    let imports = scope.imports();
    Ok(quote!(#imports #(#methods)*))
}

fn check_file(package: &Package, krate: Crate, world: &World<'_>) -> Result<TokenStream, Error> {
    if krate == Crate::Consumer {
        return Ok(TokenStream::new());
    }
    let scope = Scope::beside(&world.homes, krate, &package.name, quote!(super::messages), &checks::RESERVED);
    let checked = world.checked(&package.services);
    let messages =
        package.all_messages().into_iter().filter(|message| checked.contains(message.full_name.as_str()));
    let checks: Vec<TokenStream> =
        messages.map(|message| checks::check(message, &world.traits, &scope)).collect::<Result<_, _>>()?;
    let (wire, imports) = (krate.wire(), scope.imports());
    Ok(if checks.is_empty() {
        TokenStream::new()
    } else {
        quote!(use #wire::check::{Check, Violations}; #imports #(#checks)*)
    })
}

fn debug_file(package: &Package, krate: Crate, world: &World<'_>) -> Result<TokenStream, Error> {
    let scope = Scope::beside(&world.homes, krate, &package.name, quote!(super::messages), &debug::RESERVED);
    let mut shown = Vec::new();
    for message in package.all_messages() {
        if world.traits.has_own_debug(&message.full_name) {
            shown.push(debug::message(message, &scope)?);
        }
        for oneof in message.oneofs().filter(|oneof| oneof.has_personal()) {
            shown.push(debug::oneof(message, oneof, &scope)?);
        }
    }
    let imports = scope.imports();
    Ok(if shown.is_empty() { TokenStream::new() } else { quote!(use std::fmt; #imports #(#shown)*) })
}

fn entity_file(package: &Package, krate: Crate, world: &World<'_>) -> Result<TokenStream, Error> {
    let scope =
        Scope::beside(&world.homes, krate, &package.name, quote!(super::messages), &entities::RESERVED);
    let (mut items, mut uses) = (Vec::new(), Vec::new());
    let declared = package.all_messages();
    let is_here = |name: &str| declared.iter().any(|message| message.full_name == name);
    if let Some(owner) = world.owner(&package.name).filter(|_| krate == Crate::Sdk) {
        for entity in owner.entities.iter().filter(|entity| is_here(&entity.name)) {
            items.push(entities::entity(entity, &owner.name, &world.traits, &scope)?);
            uses.push(quote!(Entity));
        }
        for event in owner.events.iter().filter(|event| is_here(&event.name)) {
            items.push(entities::event(event, &owner.name, &world.traits, &scope)?);
            uses.push(quote!(Event));
        }
    }
    uses.sort_by_key(ToString::to_string);
    uses.dedup_by_key(|name| name.to_string());
    for message in declared.iter().filter(|message| world.traits.has_private(&message.full_name)) {
        items.push(entities::without_private(message, &world.traits, &scope)?);
    }
    let (wire, imports) = (krate.wire(), scope.imports());
    let uses = (!uses.is_empty()).then(|| quote!(use #wire::{#(#uses),*};));
    Ok(if items.is_empty() { TokenStream::new() } else { quote!(#uses #imports #(#items)*) })
}
