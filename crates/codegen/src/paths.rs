//! Where the types of the contracts are in Rust, and how one file spells the way to them.
//!
//! A [`Homes`] knows every type; a [`Scope`] is one module that is being written, and answers the shortest path that means
//! the type from there. **Invariant:** a path never means another type, whatever the contract calls its messages.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::error::Error;
use crate::items::{Enumeration, Message, Oneof, Package};
use crate::names;
use crate::read::LANGUAGE;

/// The crate that a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crate {
    /// freehold-wire itself, which holds the messages of the contract language.
    Wire,
    /// freehold-client, which holds the clients of the contract language.
    Client,
    /// The SDK.
    Sdk,
    /// A consumer, which holds its needs.
    Consumer,
}

/// Where every type is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Homes(BTreeMap<String, Home>);

#[derive(Debug, Clone)]
struct Home {
    /// The package, or the file of a consumer's needs.
    package: String,
    /// The modules of the messages that it is nested in.
    modules: Vec<Ident>,
    name: Ident,
}

impl Homes {
    /// Adds the types of a package.
    pub(crate) fn add(&mut self, package: &Package) {
        self.add_types(&package.name, &[], &package.messages, &package.enums);
    }

    fn add_types(&mut self, package: &str, modules: &[Ident], messages: &[Message], enums: &[Enumeration]) {
        for message in messages {
            self.add_type(&message.full_name, package, modules, &message.name);
            let inside = [modules, &[names::nested_module(&message.name)]].concat();
            self.add_types(package, &inside, &message.messages, &message.enums);
        }
        for enumeration in enums {
            self.add_type(&enumeration.full_name, package, modules, &enumeration.name);
        }
    }

    fn add_type(&mut self, full_name: &str, package: &str, modules: &[Ident], name: &str) {
        let home =
            Home { package: package.to_owned(), modules: modules.to_vec(), name: names::type_name(name) };
        self.0.insert(full_name.to_owned(), home);
    }
}

impl Crate {
    /// The path of freehold-wire.
    pub(crate) fn wire(self) -> TokenStream {
        if self == Self::Wire { quote!(crate) } else { quote!(freehold_wire) }
    }

    /// The path of freehold-client.
    pub(crate) fn client(self) -> TokenStream {
        if self == Self::Client { quote!(crate) } else { quote!(freehold_client) }
    }

    /// The path of a package.
    pub(crate) fn package(self, package: &str) -> TokenStream {
        if package == LANGUAGE {
            let wire = self.wire();
            return quote!(#wire::pb);
        }
        let modules = names::package_modules(package);
        if self == Self::Sdk { quote!(crate #(::#modules)*) } else { quote!(freehold_sdk #(::#modules)*) }
    }
}

/// A module that is being written.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    homes: &'a Homes,
    pub(crate) krate: Crate,
    package: &'a str,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// The module that declares the messages, or one nested in it, with the types that are declared right there.
    Messages { modules: Vec<Ident>, types: BTreeSet<String> },
    /// A file beside it, with what it imports and the names that it has a use for itself.
    Beside {
        messages: TokenStream,
        used: RefCell<BTreeSet<String>>,
        through: RefCell<bool>,
        reserved: &'static [&'static str],
    },
}

impl<'a> Scope<'a> {
    /// The module that declares the package's messages.
    pub(crate) fn messages(homes: &'a Homes, krate: Crate, package: &'a Package) -> Self {
        let types = types(&package.messages, &package.enums, &[]);
        Self { homes, krate, package: &package.name, place: Place::Messages { modules: Vec::new(), types } }
    }

    /// The module of what is nested in a message.
    pub(crate) fn inside(&self, message: &Message) -> Self {
        let mut modules = self.modules().to_vec();
        modules.push(names::nested_module(&message.name));
        let oneofs: Vec<&str> = message.oneofs().map(|oneof| oneof.type_name.as_str()).collect();
        let types = types(&message.messages, &message.enums, &oneofs);
        Self { place: Place::Messages { modules, types }, ..*self }
    }

    /// A file beside the messages, which are in the module `messages` from there. Types of a `reserved` name are not
    /// imported, for the file means something else by it.
    pub(crate) fn beside(
        homes: &'a Homes,
        krate: Crate,
        package: &'a str,
        messages: TokenStream,
        reserved: &'static [&'static str],
    ) -> Self {
        let place =
            Place::Beside { messages, used: RefCell::default(), through: RefCell::default(), reserved };
        Self { homes, krate, package, place }
    }

    /// The way to a message or an enum.
    ///
    /// # Errors
    /// The contract names a type that its descriptors do not have.
    pub(crate) fn path(&self, full_name: &str) -> Result<TokenStream, Error> {
        if let Some(known) = self.well_known(full_name) {
            return Ok(known);
        }
        let home = self.homes.0.get(full_name).ok_or_else(|| Error::Unknown(full_name.to_owned()))?;
        let (modules, name) = (&home.modules, &home.name);
        if home.package != self.package {
            let package = self.krate.package(&home.package);
            return Ok(quote!(#package #(::#modules)* ::#name));
        }
        Ok(self.way(modules, name))
    }

    /// The way to a type of this package.
    fn way(&self, modules: &[Ident], name: &Ident) -> TokenStream {
        match &self.place {
            Place::Messages { modules: here, .. } => relative(here, modules, name),
            Place::Beside { messages, used, through, reserved } => {
                if modules.is_empty() && !reserved.contains(&name.to_string().as_str()) {
                    used.borrow_mut().insert(name.to_string());
                    return quote!(#name);
                }
                *through.borrow_mut() = true;
                let last = last_segment(messages);
                quote!(#last #(::#modules)* ::#name)
            }
        }
    }

    /// The way to the type of a message's oneof.
    ///
    /// # Errors
    /// As [`Scope::path`].
    pub(crate) fn choice(&self, message: &Message, oneof: &Oneof) -> Result<TokenStream, Error> {
        let home =
            self.homes.0.get(&message.full_name).ok_or_else(|| Error::Unknown(message.full_name.clone()))?;
        let modules = [home.modules.as_slice(), &[names::nested_module(&message.name)]].concat();
        let name = names::type_name(&oneof.type_name);
        Ok(self.way(&modules, &name))
    }

    /// The `use` of the messages that `path` was asked for; nothing where it was asked for none.
    pub(crate) fn imports(&self) -> TokenStream {
        let Place::Beside { messages, used, through, .. } = &self.place else { return TokenStream::new() };
        let names: Vec<Ident> = used.borrow().iter().map(|name| format_ident!("{name}")).collect();
        match (*through.borrow(), names.as_slice()) {
            (false, []) => TokenStream::new(),
            (true, []) => quote!(use #messages;),
            (false, [name]) => quote!(use #messages::#name;),
            (false, names) => quote!(use #messages::{#(#names),*};),
            (true, names) => quote!(use #messages::{self, #(#names),*};),
        }
    }

    /// `Option`, `Result`, `Vec`, `String` or `Box`, in full where the contract has a type of that name here.
    pub(crate) fn prelude(&self, name: &str) -> TokenStream {
        let ident = format_ident!("{name}");
        let taken = match &self.place {
            Place::Messages { types, .. } => types.contains(name),
            Place::Beside { .. } => false,
        };
        match (taken, name) {
            (false, _) => quote!(#ident),
            (true, "Option") => quote!(::core::option::Option),
            (true, "Result") => quote!(::core::result::Result),
            (true, "Vec") => quote!(::prost::alloc::vec::Vec),
            (true, "String") => quote!(::prost::alloc::string::String),
            (true, _) => quote!(::prost::alloc::boxed::Box),
        }
    }

    fn modules(&self) -> &[Ident] {
        match &self.place {
            Place::Messages { modules, .. } => modules,
            Place::Beside { .. } => &[],
        }
    }

    /// Protobuf's own types: prost has them, or Rust does.
    fn well_known(&self, full_name: &str) -> Option<TokenStream> {
        let name = full_name.strip_prefix("google.protobuf.")?;
        Some(match name {
            "BoolValue" => quote!(bool),
            "BytesValue" => {
                let vec = self.prelude("Vec");
                quote!(#vec<u8>)
            }
            "DoubleValue" => quote!(f64),
            "Empty" => quote!(()),
            "FloatValue" => quote!(f32),
            "Int32Value" => quote!(i32),
            "Int64Value" => quote!(i64),
            "StringValue" => self.prelude("String"),
            "UInt32Value" => quote!(u32),
            "UInt64Value" => quote!(u64),
            other => {
                let name = names::type_name(other);
                quote!(prost_types::#name)
            }
        })
    }
}

fn types(messages: &[Message], enums: &[Enumeration], oneofs: &[&str]) -> BTreeSet<String> {
    let messages = messages.iter().map(|message| message.name.as_str());
    let enums = enums.iter().map(|enumeration| enumeration.name.as_str());
    messages
        .chain(enums)
        .chain(oneofs.iter().copied())
        .map(|name| names::type_name(name).to_string())
        .collect()
}

/// The way from one module to a type in another, below the same root.
fn relative(here: &[Ident], there: &[Ident], name: &Ident) -> TokenStream {
    let shared = here.iter().zip(there).take_while(|(a, b)| a == b).count();
    let up = here[shared..].iter().map(|_| quote!(super::));
    let down = &there[shared..];
    quote!(#(#up)* #(#down::)* #name)
}

fn last_segment(path: &TokenStream) -> TokenStream {
    path.clone().into_iter().last().into_iter().collect()
}
