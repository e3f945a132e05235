//! All files that a model becomes.

use std::collections::BTreeMap;

use freehold_contract::model::Model;
use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::modules::Folder;
use crate::emit::{client, contract, methods, server};
use crate::error::Error;
use crate::layout::{Language, Layout};
use crate::package::{self, World};
use crate::paths::{Crate, Homes, Scope};
use crate::traits::Traits;
use crate::{collisions, format, names, needs, read};

/// The encoded contracts, beside the SDK's modules.
pub(crate) const DESCRIPTORS: &str = "descriptors.bin";

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the root of the repository.
    pub path: String,
    /// What is in it.
    pub contents: Vec<u8>,
}

/// The files written so far, by path.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<String, Draft>);

/// A file that is not text yet.
pub(crate) enum Draft {
    /// A Rust file, and what is in it, a line each.
    Rust { title: Vec<String>, items: syn::File },
    /// The encoded contracts.
    Descriptors(Vec<u8>),
}

impl Files {
    /// Adds a Rust file; `title` says what is in it.
    pub(crate) fn rust(&mut self, path: &str, title: &[String], items: &TokenStream) -> Result<(), Error> {
        let draft = Draft::Rust { title: title.to_vec(), items: format::parse(path, items)? };
        self.0.insert(path.to_owned(), draft);
        Ok(())
    }
}

/// Every file that the contracts become, by path. The same model and layout give the same bytes.
///
/// # Errors
/// The contract has something that Rust, or this generator, has no form for; see [`Error`].
pub fn generate(model: &Model, layout: &Layout) -> Result<Vec<File>, Error> {
    let world = world(model)?;
    let mut files = Files::default();
    if let Some(folder) = &layout.sdk {
        sdk(folder, &world, &mut files)?;
    }
    if let Some(language) = &layout.language {
        self::language(language, &world, &mut files)?;
    }
    for (name, folder) in &layout.consumers {
        let consumer = model.consumers.iter().find(|consumer| &consumer.name == name);
        needs::consumer(consumer.ok_or_else(|| Error::Unknown(name.clone()))?, folder, &world, &mut files)?;
    }
    let written = files.0.into_iter().map(|(path, draft)| {
        let contents = match draft {
            Draft::Rust { title, items } => format::text(&title, &items).into_bytes(),
            Draft::Descriptors(bytes) => bytes,
        };
        File { path, contents }
    });
    Ok(written.collect())
}

/// The files of the SDK, by path below its folder, before they are text.
pub(crate) fn drafts(world: &World<'_>) -> Result<BTreeMap<String, Draft>, Error> {
    let mut files = Files::default();
    sdk("sdk", world, &mut files)?;
    let below = |path: String| path.strip_prefix("sdk/").map(str::to_owned).unwrap_or(path);
    Ok(files.0.into_iter().map(|(path, draft)| (below(path), draft)).collect())
}

pub(crate) fn world(model: &Model) -> Result<World<'_>, Error> {
    let packages = read::packages(model)?;
    let language = read::language(model)?;
    let (mut homes, mut traits) = (Homes::default(), Traits::default());
    for package in packages.iter().chain([&language]) {
        collisions::check(package)?;
        homes.add(package);
        traits.add(package);
    }
    Ok(World { model, homes, traits, packages, language })
}

fn sdk(folder: &str, world: &World<'_>, files: &mut Files) -> Result<(), Error> {
    for package in &world.packages {
        let folder = format!("{folder}/{}", names::package_folder(&package.name));
        package::sdk(package, &folder, world, files)?;
    }
    let mut modules = Folder::default();
    modules.packages(&world.packages, &[]);
    modules.private("contract", None);
    modules.export("contract", &[names::constant("CONTRACT")], None);
    let title = ["The packages of the mesh, and its contracts as one constant.".to_owned()];
    files.rust(&format!("{folder}/mod.rs"), &title, &modules.top())?;
    let title =
        ["What servers decide access from: owners, their methods, consumers and their needs.".to_owned()];
    files.rust(&format!("{folder}/contract.rs"), &title, &contract::contract(world.model))?;
    files.0.insert(format!("{folder}/{DESCRIPTORS}"), Draft::Descriptors(world.model.descriptors.clone()));
    Ok(())
}

/// The contract language itself: every owner serves its feed, and the mesh its directory.
fn language(layout: &Language, world: &World<'_>, files: &mut Files) -> Result<(), Error> {
    language_in_wire(&layout.wire, world, files)?;
    language_in_client(&layout.client, world, files)
}

fn language_in_wire(folder: &str, world: &World<'_>, files: &mut Files) -> Result<(), Error> {
    let package = &world.language;
    let pb = package::data(package, &format!("{folder}/pb"), Crate::Wire, world, files)?;
    let title = ["The messages of the contract language: envelope, feed, directory.".to_owned()];
    files.rust(&format!("{folder}/pb/mod.rs"), &title, &pb.tokens())?;

    let beside = |reserved| language_scope(Crate::Wire, world, reserved);
    let items = package::methods_file(&package.services, || beside(&methods::RESERVED))?;
    let title = ["The methods of the contract language.".to_owned()];
    files.rust(&format!("{folder}/methods.rs"), &title, &items)?;

    let mut modules = Folder::default();
    modules.public(&names::field("methods"));
    modules.public(&names::field("pb"));
    for service in &package.services {
        let module = names::service(names::simple(&service.name)).module;
        let (one, scope) = (std::slice::from_ref(service), beside(&server::RESERVED));
        let items = package::server_file(one, &world.traits, &quote!(crate::methods), &scope)?;
        let path = format!("{folder}/{}.rs", names::plain(&module));
        files.rust(&path, &[format!("The server side of `{}`.", service.name)], &items)?;
        modules.public(&module);
    }
    let title = ["The contract language in Rust: its messages, its methods, its servers.".to_owned()];
    files.rust(&format!("{folder}/mod.rs"), &title, &modules.top())
}

fn language_in_client(folder: &str, world: &World<'_>, files: &mut Files) -> Result<(), Error> {
    let mut modules = Folder::default();
    for service in &world.language.services {
        let names = names::service(names::simple(&service.name));
        let module = names::plain(&names.module);
        let (one, scope) =
            (std::slice::from_ref(service), language_scope(Crate::Client, world, &client::RESERVED));
        let items = package::client_file(one, None, &quote!(freehold_wire::methods), &scope)?;
        let title = format!("The client of `{}`.", service.name);
        files.rust(&format!("{folder}/{module}.rs"), &[title], &items)?;
        modules.private(&module, None);
        modules.export(&module, &[names.client, names.stub], None);
    }
    let title = ["The clients of the contract language.".to_owned()];
    files.rust(&format!("{folder}/mod.rs"), &title, &modules.top())
}

fn language_scope<'a>(krate: Crate, world: &'a World<'_>, reserved: &'static [&'static str]) -> Scope<'a> {
    let name = &world.language.name;
    Scope::beside(&world.homes, krate, name, krate.package(name), reserved)
}
