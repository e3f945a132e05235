//! The `mod.rs` of a folder: its modules by name, then what of them is public.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::emit::docs;
use crate::items::Package;
use crate::names;

/// The modules of a folder, collected while its files are written.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    modules: BTreeMap<String, TokenStream>,
    exports: BTreeMap<String, TokenStream>,
}

impl Folder {
    /// A module of the folder's own; `feature` where it is compiled only with that feature.
    pub(crate) fn private(&mut self, module: &str, feature: Option<&str>) {
        let (ident, feature) =
            (names::field(module), feature.map(|feature| quote!(#[cfg(feature = #feature)])));
        self.modules.insert(module.to_owned(), quote!(#feature mod #ident;));
    }

    /// A module for everybody.
    pub(crate) fn public(&mut self, module: &Ident) {
        self.modules.insert(names::plain(module), quote!(pub mod #module;));
    }

    /// Names of a private module that are for everybody; all of them where none is given.
    pub(crate) fn export(&mut self, module: &str, names: &[Ident], feature: Option<&str>) {
        let (ident, feature) =
            (names::field(module), feature.map(|feature| quote!(#[cfg(feature = #feature)])));
        let names = match names {
            [] => quote!(*),
            [name] => quote!(#name),
            names => quote!({#(#names),*}),
        };
        self.exports.insert(module.to_owned(), quote!(#feature pub use #ident::#names;));
    }

    /// The modules of the packages whose names begin with those of `parent`. A package is a folder; what only leads to
    /// packages is a module in place.
    pub(crate) fn packages(&mut self, packages: &[Package], parent: &[Ident]) {
        let mut children: BTreeMap<Ident, bool> = BTreeMap::new();
        for package in packages {
            let modules = names::package_modules(&package.name);
            if let Some([child, rest @ ..]) = modules.strip_prefix(parent) {
                *children.entry(child.clone()).or_default() |= rest.is_empty();
            }
        }
        for (child, is_package) in children {
            if is_package {
                self.public(&child);
                continue;
            }
            let path = [parent, std::slice::from_ref(&child)].concat();
            let name: Vec<String> = path.iter().map(names::plain).collect();
            let docs = docs([format!("The packages of `{}`.", name.join("."))]);
            let mut inside = Self::default();
            inside.packages(packages, &path);
            let inside = inside.tokens();
            self.modules.insert(names::plain(&child), quote!(#docs pub mod #child { #inside }));
        }
    }

    /// What is in the `mod.rs` at the top of all that is generated in a crate. The repository's own formatting is for what
    /// people write: it is told to leave this folder alone.
    pub(crate) fn top(&self) -> TokenStream {
        let items = self.tokens();
        quote!(#![cfg_attr(rustfmt, rustfmt::skip)] #items)
    }

    /// What is in the `mod.rs`.
    pub(crate) fn tokens(&self) -> TokenStream {
        let (modules, exports) = (self.modules.values(), self.exports.values());
        quote!(#(#modules)* #(#exports)*)
    }
}
