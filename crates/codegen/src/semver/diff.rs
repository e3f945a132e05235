//! Two states of an SDK, item by item.
//!
//! In: the models before and after. Out: the changes, and whose code each one breaks. What counts as a break is what Cargo's
//! own reference on semver counts: a name that is new breaks nobody, although a glob import could meet it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use freehold_contract::model::Model;
use quote::ToTokens;

use super::elements::Elements;
use super::surface::{self, Feature, Form, Item, Key, Kind, Surface};
use super::{Audience, Change, What};
use crate::error::Error;
use crate::output::{self, Draft};

/// The numbers and flags for which `impl Into` takes every literal that the type itself takes: `5` is an `i32` unless it is
/// asked for as another type, and that turns into these alone.
const TAKEN_AS_LITERALS: [&str; 4] = ["bool", "f64", "i32", "i64"];

/// The SDK of one state of the contracts.
pub(super) struct State {
    files: BTreeMap<String, Draft>,
    surface: Surface,
    elements: Elements,
}

impl State {
    pub(super) fn of(model: &Model) -> Result<Self, Error> {
        let world = output::world(model)?;
        let files = output::drafts(&world)?;
        Ok(Self { surface: surface::read(&files), elements: Elements::of(&world.packages), files })
    }

    /// Everything that is generated, comments and descriptors included.
    pub(super) fn text(&self) -> String {
        let rust = self.files.values().map(|draft| match draft {
            Draft::Rust { title, items } => format!("{title:?}{}", items.to_token_stream()),
            Draft::Descriptors(bytes) => format!("{bytes:?}"),
        });
        rust.collect()
    }

    /// What appears, vanishes or changes on the way to another state.
    pub(super) fn changes(&self, after: &Self) -> Vec<Change> {
        let (old, new) = (&self.surface.0, &after.surface.0);
        let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
        let changes = keys.into_iter().filter_map(|key| match (old.get(key), new.get(key)) {
            (Some(item), None) => {
                let breaks = if key.kind.is_in_trait() { implementors(item) } else { users(item) };
                let is_part = is_part(key, &self.surface, &after.surface);
                (!is_part).then(|| self.change(key, What::Vanishes, breaks))
            }
            (None, Some(item)) => {
                let breaks = if key.kind == Kind::Required { implementors(item) } else { Vec::new() };
                let is_part = is_part(key, &after.surface, &self.surface);
                (!is_part).then(|| after.change(key, What::Appears, breaks))
            }
            (Some(one), Some(other)) if one != other => {
                let (before, after) = (one.form.to_string(), other.form.to_string());
                let what = match &one.form {
                    Form::Number(_) => What::Turns { before, after },
                    Form::Text(_) | Form::Function { .. } => What::Changes { before, after },
                };
                Some(self.change(key, what, changed(key, one, other)))
            }
            _ => None,
        });
        changes.collect()
    }

    fn change(&self, key: &Key, what: What, breaks: Vec<Audience>) -> Change {
        let element = self.elements.of_item(&key.path).to_owned();
        Change { item: key.path.clone(), kind: key.kind.name(), element, what, breaks }
    }
}

/// Whether an item of `here` belongs to one that is not `there` either, which says it all.
fn is_part(key: &Key, here: &Surface, there: &Surface) -> bool {
    let parent = match key.kind {
        Kind::Implementation => key.path.split_once(": ").map(|(own, _)| own),
        _ => key.path.rsplit_once("::").map(|(above, _)| above),
    };
    let Some(parent) = parent else { return false };
    let whole = [Kind::Module, Kind::Struct, Kind::Enum, Kind::Trait];
    let mut wholes = whole.map(|kind| Key { path: parent.to_owned(), kind }).into_iter();
    wholes.any(|whole| here.0.contains_key(&whole) && !there.0.contains_key(&whole))
}

/// Who can name an item.
fn users(item: &Item) -> Vec<Audience> {
    match item.feature {
        Feature::Always => vec![Audience::Callers, Audience::Mocks, Audience::Servers],
        Feature::Client => vec![Audience::Callers],
        Feature::Server => vec![Audience::Servers],
    }
}

/// Who implements a trait.
fn implementors(item: &Item) -> Vec<Audience> {
    match item.feature {
        Feature::Server => vec![Audience::Servers],
        Feature::Always | Feature::Client => vec![Audience::Mocks],
    }
}

fn changed(key: &Key, before: &Item, after: &Item) -> Vec<Audience> {
    match (&before.form, &after.form) {
        _ if key.kind.is_in_trait() => implementors(before),
        (one, other) if takes_more(one, other) => Vec::new(),
        _ => users(before),
    }
}

/// Whether a function gives what it gave for all that it took.
fn takes_more(before: &Form, after: &Form) -> bool {
    let (
        Form::Function { is_async, takes, gives },
        Form::Function { is_async: as_async, takes: wider, gives: given },
    ) = (before, after)
    else {
        return false;
    };
    let is_wider = |(before, after): (&String, &String)| {
        let into =
            || TAKEN_AS_LITERALS.contains(&before.as_str()) && *after == format!("impl Into<{before}>");
        before == after || into()
    };
    is_async == as_async
        && gives == given
        && takes.len() == wider.len()
        && takes.iter().zip(wider).all(is_wider)
}

impl Kind {
    fn is_in_trait(self) -> bool {
        matches!(self, Self::Trait | Self::Required | Self::Provided)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Trait => "trait",
            Self::Constant => "constant",
            Self::Field => "field",
            Self::Variant => "variant",
            Self::Method => "method",
            Self::Required => "required method",
            Self::Provided => "provided method",
            Self::Implementation => "implementation",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Number(text) => f.write_str(text),
            Self::Function { is_async, takes, gives } => {
                let word = if *is_async { "async fn" } else { "fn" };
                write!(f, "{word}({}) -> {gives}", takes.join(", "))
            }
        }
    }
}
