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

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the root of the repository.
    pub path: String,
    /// What is in it.
    pub contents: Vec<u8>,
}

/// The files written so far, by path.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Adds a Rust file; `title` says what is in it.
    pub(crate) fn rust(&mut self, path: &str, title: &[String], items: &TokenStream) -> Result<(), Error> {
        let text = format::file(path, title, items)?;
        self.0.insert(path.to_owned(), text.into_bytes());
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
    Ok(files.0.into_iter().map(|(path, contents)| File { path, contents }).collect())
}

fn world(model: &Model) -> Result<World<'_>, Error> {
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
    files.0.insert(format!("{folder}/descriptors.bin"), world.model.descriptors.clone());
    Ok(())
}

/// The contract language itself: every owner serves its feed, and the mesh its directory.
fn language(layout: &Language, world: &World<'_>, files: &mut Files) -> Result<(), Error> {
    let Language { wire, client: clients } = layout;
    let package = &world.language;
    let pb = package::data(package, &format!("{wire}/pb"), Crate::Wire, world, files)?;
    let title = ["The messages of the contract language: envelope, feed, directory.".to_owned()];
    files.rust(&format!("{wire}/pb/mod.rs"), &title, &pb.tokens())?;

    let beside = |krate: Crate, reserved| {
        Scope::beside(&world.homes, krate, &package.name, krate.package(&package.name), reserved)
    };
    let items = package::methods_file(&package.services, || beside(Crate::Wire, &methods::RESERVED))?;
    files.rust(
        &format!("{wire}/methods.rs"),
        &["The methods of the contract language.".to_owned()],
        &items,
    )?;

    let (mut in_wire, mut in_client) = (Folder::default(), Folder::default());
    in_wire.public(&names::field("methods"));
    in_wire.public(&names::field("pb"));
    for service in &package.services {
        let (one, names) = (std::slice::from_ref(service), names::service(names::simple(&service.name)));
        let (module, file) = (&names.module, names::plain(&names.module));
        let scope = beside(Crate::Wire, &server::RESERVED);
        let items = package::server_file(one, &world.traits, &quote!(crate::methods), &scope)?;
        files.rust(
            &format!("{wire}/{file}.rs"),
            &[format!("The server side of `{}`.", service.name)],
            &items,
        )?;

        let scope = beside(Crate::Client, &client::RESERVED);
        let items = package::client_file(one, None, &quote!(freehold_wire::methods), &scope)?;
        files.rust(
            &format!("{clients}/{file}.rs"),
            &[format!("The client of `{}`.", service.name)],
            &items,
        )?;

        in_wire.public(module);
        in_client.private(&file, None);
        in_client.export(&file, &[names.client, names.stub], None);
    }
    let title = ["The contract language in Rust: its messages, its methods, its servers.".to_owned()];
    files.rust(&format!("{wire}/mod.rs"), &title, &in_wire.top())?;
    let title = ["The clients of the contract language.".to_owned()];
    files.rust(&format!("{clients}/mod.rs"), &title, &in_client.top())
}
