//! What users of an SDK can name: the public items of the generated modules, each with the types that it is made of.
//!
//! In: the files of an SDK before they are text. Out: a sorted list of items. What a derive adds is listed where it depends
//! on the contract: the traits that a message has, and the getters that prost makes of what may be unset.
//! **Invariant:** nothing of a body, a comment or a parameter's name is in it.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item as Syntax;

use crate::output::Draft;
use crate::semver::items;
use crate::semver::spell::{Names, Path, SDK};

/// The public items of an SDK.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Surface(pub(crate) BTreeMap<Key, Item>);

/// What tells an item from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// "freehold_sdk::catalog::v1::Product::with_name".
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Module,
    Struct,
    Enum,
    Trait,
    Constant,
    Field,
    Variant,
    /// A function of a type.
    Method,
    /// A method that whoever implements the trait writes.
    Required,
    /// A method that the trait has an answer for.
    Provided,
    /// A trait that a type has: "..::Product: Eq".
    Implementation,
}

/// An item, as far as others depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) feature: Feature,
    pub(crate) form: Form,
}

/// The feature of the SDK that an item is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    Always,
    Client,
    Server,
}

/// What an item is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// All is said by its name, or in a few words: the type of a field, what a variant holds.
    Text(String),
    /// A value of an enum, by its number.
    Number(String),
    /// A function: what it takes, its receiver included, and what it gives.
    Function { is_async: bool, takes: Vec<String>, gives: String },
}

/// A module of the generated crate.
struct Module<'a> {
    path: Path,
    items: &'a [Syntax],
    feature: Feature,
}

/// What all items of the generated files are to users of the SDK.
pub(crate) fn read(files: &BTreeMap<String, Draft>) -> Surface {
    let mut tree = Tree { files, modules: Vec::new(), private: BTreeSet::new() };
    tree.add(vec![SDK.to_owned()], tree.file("mod.rs"), Feature::Always);
    let mut surface = Surface::default();
    for module in &tree.modules {
        let names = Names::new(&module.path, module.items, &tree.private);
        for item in module.items {
            items::read(item, &names, module.feature, &mut surface);
        }
    }
    surface
}

impl Surface {
    pub(crate) fn add(&mut self, path: String, kind: Kind, feature: Feature, form: Form) {
        self.0.insert(Key { path, kind }, Item { feature, form });
    }
}

/// The modules of the generated crate.
struct Tree<'a> {
    files: &'a BTreeMap<String, Draft>,
    modules: Vec<Module<'a>>,
    private: BTreeSet<Path>,
}

impl<'a> Tree<'a> {
    fn file(&self, path: &str) -> &'a [Syntax] {
        match self.files.get(path) {
            Some(Draft::Rust { items, .. }) => &items.items,
            Some(Draft::Descriptors(_)) | None => &[],
        }
    }

    /// Adds a module and those in it, whether they are in place or in files of their own.
    fn add(&mut self, path: Path, items: &'a [Syntax], feature: Feature) {
        for item in items {
            let Syntax::Mod(inner) = item else { continue };
            let mut below = path.clone();
            below.push(inner.ident.to_string());
            if !items::is_public(&inner.vis) {
                self.private.insert(below.clone());
            }
            let feature = items::feature(&inner.attrs).unwrap_or(feature);
            match &inner.content {
                Some((_, items)) => self.add(below, items, feature),
                None => {
                    let folder: Vec<&str> =
                        below[1..].iter().map(|part| part.trim_start_matches("r#")).collect();
                    let folder = folder.join("/");
                    let own = self.file(&format!("{folder}.rs"));
                    let items = if own.is_empty() { self.file(&format!("{folder}/mod.rs")) } else { own };
                    self.add(below, items, feature);
                }
            }
        }
        self.modules.push(Module { path, items, feature });
    }
}
