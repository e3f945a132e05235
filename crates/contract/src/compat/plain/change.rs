//! Two schemas side by side: what is in both is a pair, found by the names that stay when a thing moves.
//!
//! Files are matched by path, messages, enums and services by full name, fields and extensions by number, RPCs by name.
//! **Invariant:** all look-ups are by hash or binary search; nothing here grows with the square of a tree.

use std::collections::HashMap;

use crate::model::Place;
use crate::schema::{Enum, Extension, Field, File, Head, Message, Method, Schema, Service};

/// The tags under which descriptors hold fields and RPCs.
const FIELD: i32 = 2;
const METHOD: i32 = 2;

/// Two schemas, each with its index.
pub(super) struct Change<'a> {
    pub(super) previous: Tree<'a>,
    pub(super) current: Tree<'a>,
}

/// A schema that is found by name.
pub(super) struct Tree<'a> {
    pub(super) schema: &'a Schema,
    files: HashMap<&'a str, &'a File>,
    messages: HashMap<&'a str, &'a Message>,
    enums: HashMap<&'a str, &'a Enum>,
    services: HashMap<&'a str, &'a Service>,
    extensions: HashMap<(&'a str, i32), &'a Extension>,
    extension_names: HashMap<&'a str, &'a Extension>,
    packages: HashMap<&'a str, Package>,
}

/// What a package has any of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Package {
    pub(super) messages: bool,
    pub(super) enums: bool,
    pub(super) extensions: bool,
}

/// A thing before and now, each with its file.
pub(super) struct Pair<'a, T> {
    pub(super) before: &'a T,
    pub(super) now: &'a T,
    pub(super) before_file: &'a File,
    pub(super) now_file: &'a File,
}

/// A field before and now.
pub(super) struct FieldPair<'a> {
    pub(super) before: FieldAt<'a>,
    pub(super) now: FieldAt<'a>,
    pub(super) in_map_entry: bool,
    pub(super) is_extension: bool,
}

/// A field and where it stands.
#[derive(Clone, Copy)]
pub(super) struct FieldAt<'a> {
    pub(super) field: &'a Field,
    pub(super) file: &'a File,
    /// The message around it, or the extension itself.
    head: &'a Head,
    /// Its index in the message; none for an extension.
    index: Option<usize>,
}

/// An RPC before and now.
pub(super) struct MethodPair<'a> {
    pub(super) before: MethodAt<'a>,
    pub(super) now: MethodAt<'a>,
}

/// An RPC and where it stands.
pub(super) struct MethodAt<'a> {
    pub(super) method: &'a Method,
    pub(super) file: &'a File,
    service: &'a Head,
    index: usize,
}

impl<'a> Change<'a> {
    pub(super) fn new(previous: &'a Schema, current: &'a Schema) -> Self {
        Self { previous: Tree::new(previous), current: Tree::new(current) }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = Pair<'a, File>> {
        self.previous.schema.files.iter().filter_map(|before| {
            let now = self.current.file(&before.path)?;
            Some(Pair { before, now, before_file: before, now_file: now })
        })
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = Pair<'a, Message>> {
        let messages = self.previous.schema.messages.iter();
        messages.filter_map(|before| {
            let now = *self.current.messages.get(before.head.name.as_str())?;
            Some(self.pair((before, &before.head), (now, &now.head)))
        })
    }

    pub(super) fn enums(&self) -> impl Iterator<Item = Pair<'a, Enum>> {
        self.previous.schema.enums.iter().filter_map(|before| {
            let now = *self.current.enums.get(before.head.name.as_str())?;
            Some(self.pair((before, &before.head), (now, &now.head)))
        })
    }

    pub(super) fn services(&self) -> impl Iterator<Item = Pair<'a, Service>> {
        self.previous.schema.services.iter().filter_map(|before| {
            let now = *self.current.services.get(before.head.name.as_str())?;
            Some(self.pair((before, &before.head), (now, &now.head)))
        })
    }

    fn pair<T>(&self, before: (&'a T, &'a Head), now: (&'a T, &'a Head)) -> Pair<'a, T> {
        Pair {
            before: before.0,
            now: now.0,
            before_file: self.previous.file_of(before.1),
            now_file: self.current.file_of(now.1),
        }
    }

    /// The fields of a message that are in both.
    pub(super) fn fields(&self, pair: &Pair<'a, Message>) -> impl Iterator<Item = FieldPair<'a>> {
        let (before, now) = (pair.before, pair.now);
        let (before_file, now_file) = (pair.before_file, pair.now_file);
        let by_number = by_number(&now.fields);
        before.fields.iter().enumerate().filter_map(move |(index, field)| {
            let found = now_index(&now.fields, &by_number, index, field.number)?;
            Some(FieldPair {
                before: FieldAt { field, file: before_file, head: &before.head, index: Some(index) },
                now: FieldAt {
                    field: &now.fields[found],
                    file: now_file,
                    head: &now.head,
                    index: Some(found),
                },
                in_map_entry: before.is_map_entry || now.is_map_entry,
                is_extension: false,
            })
        })
    }

    /// The extensions that are in both, as fields.
    pub(super) fn extensions(&self) -> impl Iterator<Item = FieldPair<'a>> {
        self.previous.schema.extensions.iter().filter_map(|before| {
            let key = (before.extendee.as_str(), before.field.number);
            let now = *self.current.extensions.get(&key)?;
            Some(FieldPair {
                before: self.previous.extension_at(before),
                now: self.current.extension_at(now),
                in_map_entry: false,
                is_extension: true,
            })
        })
    }
}

/// The numbers of fields with their indices, ascending.
fn by_number(fields: &[Field]) -> Vec<(i32, usize)> {
    let mut numbers: Vec<_> = fields.iter().enumerate().map(|(index, field)| (field.number, index)).collect();
    numbers.sort_unstable();
    numbers
}

/// Most fields stay where they are, so that place is tried first.
fn now_index(now: &[Field], by_number: &[(i32, usize)], index: usize, number: i32) -> Option<usize> {
    if now.get(index).is_some_and(|field| field.number == number) {
        return Some(index);
    }
    let at = by_number.partition_point(|(other, _)| *other < number);
    by_number.get(at).filter(|(other, _)| *other == number).map(|(_, index)| *index)
}

/// The RPCs of a service that are in both.
pub(super) fn methods<'a>(pair: &Pair<'a, Service>) -> impl Iterator<Item = MethodPair<'a>> {
    let (before, now) = (pair.before, pair.now);
    let (before_file, now_file) = (pair.before_file, pair.now_file);
    let by_name: HashMap<&str, usize> =
        now.methods.iter().enumerate().map(|(index, method)| (method.name.as_str(), index)).collect();
    before.methods.iter().enumerate().filter_map(move |(index, method)| {
        let found = *by_name.get(method.name.as_str())?;
        Some(MethodPair {
            before: MethodAt { method, file: before_file, service: &before.head, index },
            now: MethodAt { method: &now.methods[found], file: now_file, service: &now.head, index: found },
        })
    })
}

impl<'a> Tree<'a> {
    fn new(schema: &'a Schema) -> Self {
        let extension =
            |extension: &'a Extension| ((extension.extendee.as_str(), extension.field.number), extension);
        let mut tree = Self {
            schema,
            files: schema.files.iter().map(|file| (file.path.as_str(), file)).collect(),
            messages: schema.messages.iter().map(|of| (of.head.name.as_str(), of)).collect(),
            enums: schema.enums.iter().map(|of| (of.head.name.as_str(), of)).collect(),
            services: schema.services.iter().map(|of| (of.head.name.as_str(), of)).collect(),
            extensions: schema.extensions.iter().map(extension).collect(),
            extension_names: schema.extensions.iter().map(|of| (of.head.name.as_str(), of)).collect(),
            packages: schema.files.iter().map(|file| (file.package.as_str(), Package::default())).collect(),
        };
        for message in &schema.messages {
            tree.package_of(&message.head).messages = true;
        }
        for of in &schema.enums {
            tree.package_of(&of.head).enums = true;
        }
        for extension in &schema.extensions {
            tree.package_of(&extension.head).extensions = true;
        }
        tree
    }

    fn package_of(&mut self, head: &Head) -> &mut Package {
        self.packages.entry(self.schema.files[head.file].package.as_str()).or_default()
    }

    pub(super) fn file(&self, path: &str) -> Option<&'a File> {
        self.files.get(path).copied()
    }

    pub(super) fn file_of(&self, head: &Head) -> &'a File {
        &self.schema.files[head.file]
    }

    pub(super) fn package(&self, name: &str) -> Option<Package> {
        self.packages.get(name).copied()
    }

    pub(super) fn message(&self, name: &str) -> Option<&'a Message> {
        self.messages.get(name).copied()
    }

    pub(super) fn of_enum(&self, name: &str) -> Option<&'a Enum> {
        self.enums.get(name).copied()
    }

    pub(super) fn service(&self, name: &str) -> Option<&'a Service> {
        self.services.get(name).copied()
    }

    pub(super) fn extension(&self, name: &str) -> Option<&'a Extension> {
        self.extension_names.get(name).copied()
    }

    fn extension_at(&self, extension: &'a Extension) -> FieldAt<'a> {
        let head = &extension.head;
        FieldAt { field: &extension.field, file: self.file_of(head), head, index: None }
    }
}

impl<T> Pair<'_, T> {
    /// The places of what has the path before and the path now, or of the nearest thing around it.
    pub(super) fn places(&self, before: &[i32], now: &[i32]) -> (Option<Place>, Option<Place>) {
        (Some(self.before_file.place(before)), Some(self.now_file.place(now)))
    }
}

impl FieldAt<'_> {
    /// Its descriptor path, and further down what `rest` says.
    pub(super) fn path(&self, rest: &[i32]) -> Vec<i32> {
        match self.index.and_then(|index| i32::try_from(index).ok()) {
            Some(index) => [&self.head.path, &[FIELD, index][..], rest].concat(),
            None => [&self.head.path, rest].concat(),
        }
    }

    /// The place of the first of these parts that is written, or of the whole field.
    pub(super) fn place(&self, parts: &[&[i32]]) -> Place {
        let mut written = parts.iter().filter_map(|part| self.file.written(&self.path(part)));
        written.next().unwrap_or_else(|| self.file.place(&self.path(&[])))
    }

    /// "catalog.v1.Product.name".
    pub(super) fn element(&self) -> String {
        match self.index {
            Some(_) => format!("{}.{}", self.head.name, self.field.name),
            None => self.field.name.clone(),
        }
    }
}

impl MethodAt<'_> {
    /// The place of a part of it that is written, or of the whole RPC.
    pub(super) fn place(&self, part: &[i32]) -> Place {
        self.written(part).unwrap_or_else(|| self.file.place(&self.path(&[])))
    }

    /// The place of exactly that part.
    pub(super) fn written(&self, part: &[i32]) -> Option<Place> {
        self.file.written(&self.path(part))
    }

    fn path(&self, part: &[i32]) -> Vec<i32> {
        let index = i32::try_from(self.index).unwrap_or_default();
        [&self.service.path, &[METHOD, index][..], part].concat()
    }

    /// "catalog.v1.CatalogService/GetProduct".
    pub(super) fn element(&self) -> String {
        format!("{}/{}", self.service.name, self.method.name)
    }
}
