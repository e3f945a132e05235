//! What is gone: files, packages, and what they declare, file by file or package by package.
//!
//! What goes with its file is not told again by the rules of files, and what goes with its package not by those of
//! packages. The place is the nearest message around that is left, else the file, else none.

use std::collections::HashSet;

use super::change::Change;
use super::change::{Package, Tree};
use super::report::{Breach, Report};
use crate::model::Place;
use crate::schema::{File, Head, Schema};

pub(super) fn files(change: &Change, report: &mut Report) {
    let before = change.previous.schema.files.iter();
    for file in before.filter(|file| change.current.file(&file.path).is_none()) {
        report.add(Breach {
            element: file.path.clone(),
            message: format!("the file `{}` is gone", file.path),
            now: None,
            before: Some(Place::whole(&file.path)),
            help: "keep the file under its path; what it declares may be marked as deprecated".to_owned(),
        });
    }
}

pub(super) fn packages(change: &Change, report: &mut Report) {
    let mut seen = HashSet::new();
    for file in &change.previous.schema.files {
        if change.current.package(&file.package).is_none() && seen.insert(&file.package) {
            report.add(Breach {
                element: file.package.clone(),
                message: format!("the package `{}` is gone", file.package),
                now: None,
                before: Some(Place::whole(&file.path)),
                help: "keep the package beside the one that follows it until nobody uses it".to_owned(),
            });
        }
    }
}

/// A kind of thing that can be gone.
struct Kind {
    name: &'static str,
    find: for<'a> fn(&Tree<'a>, &str) -> Option<&'a Head>,
    /// Whether a package is left with any; the published checker is silent where not.
    left: fn(Package) -> bool,
    /// Whether a message that moved to another file of its package is a place.
    follows_moves: bool,
}

const MESSAGE: Kind = Kind {
    name: "message",
    find: |tree, name| tree.message(name).map(|of| &of.head),
    left: |package| package.messages,
    follows_moves: true,
};
const ENUM: Kind = Kind {
    name: "enum",
    find: |tree, name| tree.of_enum(name).map(|of| &of.head),
    left: |package| package.enums,
    follows_moves: false,
};
const EXTENSION: Kind = Kind {
    name: "extension",
    find: |tree, name| tree.extension(name).map(|of| &of.head),
    left: |package| package.extensions,
    follows_moves: false,
};
const SERVICE: Kind = Kind {
    name: "service",
    find: |tree, name| tree.service(name).map(|of| &of.head),
    left: |_| true,
    follows_moves: false,
};

pub(super) fn messages_of_files(change: &Change, report: &mut Report) {
    of_files(change, &MESSAGE, messages(change.previous.schema), report);
}

pub(super) fn enums_of_files(change: &Change, report: &mut Report) {
    of_files(change, &ENUM, enums(change.previous.schema), report);
}

pub(super) fn extensions_of_files(change: &Change, report: &mut Report) {
    of_files(change, &EXTENSION, extensions(change.previous.schema), report);
}

pub(super) fn services_of_files(change: &Change, report: &mut Report) {
    of_files(change, &SERVICE, services(change.previous.schema), report);
}

pub(super) fn messages_of_packages(change: &Change, report: &mut Report) {
    of_packages(change, &MESSAGE, messages(change.previous.schema), report);
}

pub(super) fn enums_of_packages(change: &Change, report: &mut Report) {
    of_packages(change, &ENUM, enums(change.previous.schema), report);
}

pub(super) fn extensions_of_packages(change: &Change, report: &mut Report) {
    of_packages(change, &EXTENSION, extensions(change.previous.schema), report);
}

pub(super) fn services_of_packages(change: &Change, report: &mut Report) {
    of_packages(change, &SERVICE, services(change.previous.schema), report);
}

fn messages(schema: &Schema) -> impl Iterator<Item = &Head> {
    schema.messages.iter().map(|of| &of.head)
}

fn enums(schema: &Schema) -> impl Iterator<Item = &Head> {
    schema.enums.iter().map(|of| &of.head)
}

fn extensions(schema: &Schema) -> impl Iterator<Item = &Head> {
    schema.extensions.iter().map(|of| &of.head)
}

fn services(schema: &Schema) -> impl Iterator<Item = &Head> {
    schema.services.iter().map(|of| &of.head)
}

fn of_files<'a>(change: &Change, kind: &Kind, heads: impl Iterator<Item = &'a Head>, report: &mut Report) {
    for head in heads {
        let Some(file) = change.current.file(&change.previous.file_of(head).path) else { continue };
        let found = (kind.find)(&change.current, &name_in(file, head.nested()));
        if !found.is_some_and(|found| std::ptr::eq(change.current.file_of(found), file)) {
            let place = around_in_file(&change.current, file, head.nested());
            report.add(breach(change, kind, head, Some(place), "file"));
        }
    }
}

fn of_packages<'a>(change: &Change, kind: &Kind, heads: impl Iterator<Item = &'a Head>, report: &mut Report) {
    for head in heads {
        let before = change.previous.file_of(head);
        if !change.current.package(&before.package).is_some_and(kind.left) {
            continue;
        }
        let found = (kind.find)(&change.current, &head.name);
        if found.is_some_and(|found| change.current.file_of(found).package == before.package) {
            continue;
        }
        let place = change.current.file(&before.path).map(|file| match kind.follows_moves {
            true => around(&change.current, head).unwrap_or_else(|| Place::whole(&file.path)),
            false => around_in_file(&change.current, file, head.nested()),
        });
        report.add(breach(change, kind, head, place, "package"));
    }
}

fn breach(change: &Change, kind: &Kind, head: &Head, now: Option<Place>, from: &str) -> Breach {
    let file = change.previous.file_of(head);
    let name = kind.name;
    Breach {
        element: head.name.clone(),
        message: format!("the {name} `{}` is gone from its {from}", head.name),
        now,
        before: Some(file.place(&head.path)),
        help: format!("keep the {name} until nobody uses it; `option deprecated = true` says so"),
    }
}

/// A full name in a file's package, which may be another one than before.
fn name_in(file: &File, nested: &str) -> String {
    if file.package.is_empty() { nested.to_owned() } else { format!("{}.{nested}", file.package) }
}

/// The nearest message around a nested name that its file still has, else the file.
fn around_in_file(tree: &Tree, file: &File, nested: &str) -> Place {
    let mut inner = nested;
    while let Some((outer, _)) = inner.rsplit_once('.') {
        let message = tree.message(&name_in(file, outer));
        if let Some(message) = message.filter(|message| std::ptr::eq(tree.file_of(&message.head), file)) {
            return file.place(&message.head.path);
        }
        inner = outer;
    }
    Place::whole(&file.path)
}

/// The nearest message around that is left in any file.
fn around(tree: &Tree, head: &Head) -> Option<Place> {
    let mut inner = head.name.as_str();
    while let Some((outer, _)) = inner.rsplit_once('.') {
        if let Some(message) = tree.message(outer) {
            return Some(tree.file_of(&message.head).place(&message.head.path));
        }
        inner = outer;
    }
    None
}
