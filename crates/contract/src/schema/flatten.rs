//! From a decoded descriptor set to flat elements: names made full, features resolved, map entries put in their place.
//!
//! **Invariant:** whatever the descriptors say, the answer is a schema or a typed error; nesting is bounded by the decoder.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::elements::{Enum, EnumValue, Extension, File, Head, Message, Method, Numbers, Service};
use super::features::{Edition, Features};
use super::{Schema, fields, proto};
use crate::descriptors::DescriptorsError;

/// The tags of what is declared in a file.
mod in_file {
    pub(super) const MESSAGE: i32 = 4;
    pub(super) const ENUM: i32 = 5;
    pub(super) const SERVICE: i32 = 6;
    pub(super) const EXTENSION: i32 = 7;
}

/// The tags of what is declared in a message.
mod in_message {
    pub(super) const FIELD: i32 = 2;
    pub(super) const MESSAGE: i32 = 3;
    pub(super) const ENUM: i32 = 4;
    pub(super) const EXTENSION: i32 = 6;
}

/// What is around an element.
pub(super) struct Scope<'a> {
    file: usize,
    /// Where in a full name the part after the package begins.
    nested_at: usize,
    /// The full name of the message around, or the package.
    name: &'a str,
    path: &'a [i32],
    pub(super) features: Features,
    /// Whether strings are checked in Java by an option of the file.
    pub(super) java_checks: bool,
}

/// An element's tag in what is around it, and its index there.
#[derive(Clone, Copy)]
struct At(i32, usize);

pub(super) fn schema(set: proto::FileSet) -> Result<Schema, DescriptorsError> {
    let mut schema = Schema::default();
    let mut paths = HashSet::new();
    for mut file in set.file {
        let path = file.name.take().filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| malformed("", "a file without a name".to_owned()))?;
        if !paths.insert(path.clone()) {
            return Err(malformed(&path, "it is there twice".to_owned()));
        }
        add_file(&mut schema, &path, file).map_err(|problem| match problem {
            Problem::Shape(problem) => malformed(&path, problem),
            Problem::Edition(edition) => DescriptorsError::Edition { file: path.clone(), edition },
        })?;
    }
    heads_once(&schema.files, schema.messages.iter().map(|message| &message.head))?;
    heads_once(&schema.files, schema.enums.iter().map(|of| &of.head))?;
    heads_once(&schema.files, schema.services.iter().map(|service| &service.head))?;
    heads_once(&schema.files, schema.extensions.iter().map(|extension| &extension.head))?;
    numbers_once(&schema)?;
    Ok(schema)
}

/// What is wrong in a file.
enum Problem {
    Shape(String),
    Edition(String),
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Self::Shape(problem)
    }
}

fn malformed(file: &str, problem: String) -> DescriptorsError {
    DescriptorsError::Malformed { file: file.to_owned(), problem }
}

fn heads_once<'a>(files: &[File], heads: impl Iterator<Item = &'a Head>) -> Result<(), DescriptorsError> {
    let mut seen = HashSet::new();
    for head in heads {
        if !seen.insert(head.name.as_str()) {
            let file = files.get(head.file).map_or("", |file| &file.path);
            return Err(malformed(file, format!("`{}` is declared twice", head.name)));
        }
    }
    Ok(())
}

/// A number stands for one field or extension of a message, and a name for one RPC of a service.
fn numbers_once(schema: &Schema) -> Result<(), DescriptorsError> {
    let file = |head: &Head| schema.files.get(head.file).map_or("", |file| &file.path);
    for message in &schema.messages {
        let mut seen = HashSet::new();
        if let Some(field) = message.fields.iter().find(|field| !seen.insert(field.number)) {
            let problem = format!("`{}` has the number {} twice", message.head.name, field.number);
            return Err(malformed(file(&message.head), problem));
        }
    }
    let mut seen = HashSet::new();
    for extension in &schema.extensions {
        if !seen.insert((&extension.extendee, extension.field.number)) {
            let number = extension.field.number;
            let problem = format!("`{}` is extended by the number {number} twice", extension.extendee);
            return Err(malformed(file(&extension.head), problem));
        }
    }
    for service in &schema.services {
        let mut seen = HashSet::new();
        if let Some(method) = service.methods.iter().find(|method| !seen.insert(&method.name)) {
            let problem = format!("`{}` has the RPC `{}` twice", service.head.name, method.name);
            return Err(malformed(file(&service.head), problem));
        }
    }
    Ok(())
}

fn add_file(schema: &mut Schema, path: &str, from: proto::File) -> Result<(), Problem> {
    let edition = Edition::read(&from).ok_or_else(|| Problem::Edition(said_edition(&from)))?;
    let options = from.options.unwrap_or_default();
    let nested_at = if from.package.is_empty() { 0 } else { from.package.len() + 1 };
    let scope = Scope {
        file: schema.files.len(),
        nested_at,
        name: &from.package,
        path: &[],
        features: Features::of(edition).within(options.features.as_ref()),
        java_checks: edition == Edition::Proto2 && options.java_string_check_utf8 == Some(true),
    };
    for (index, message) in from.message_type.into_iter().enumerate() {
        add_message(schema, &scope, At(in_file::MESSAGE, index), message)?;
    }
    for (index, of) in from.enum_type.into_iter().enumerate() {
        add_enum(schema, &scope, At(in_file::ENUM, index), of)?;
    }
    for (index, extension) in from.extension.into_iter().enumerate() {
        add_extension(schema, &scope, At(in_file::EXTENSION, index), extension)?;
    }
    for (index, service) in from.service.into_iter().enumerate() {
        add_service(schema, &scope, At(in_file::SERVICE, index), service)?;
    }
    schema.files.push(File {
        path: path.to_owned(),
        package: from.package,
        edition,
        options,
        source_info: from.source_code_info,
        text: None,
        places: OnceLock::new(),
    });
    Ok(())
}

/// What a file says that is not understood.
fn said_edition(file: &proto::File) -> String {
    match (file.edition, file.syntax.as_str()) {
        (0, "editions") => "none".to_owned(),
        (0, syntax) => syntax.to_owned(),
        (edition, _) => edition.to_string(),
    }
}

impl Scope<'_> {
    fn head(&self, At(tag, index): At, name: &str) -> Result<Head, String> {
        if name.is_empty() {
            return Err(format!("something in `{}` has no name", self.name));
        }
        let full = if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) };
        let index = i32::try_from(index).map_err(|_| format!("`{}` holds too much", self.name))?;
        let path = [self.path, &[tag, index]].concat();
        Ok(Head { file: self.file, name: full, nested_at: self.nested_at, path })
    }

    /// Inside of an element, where what it says of features holds.
    fn within<'a>(&self, head: &'a Head, said: Option<&proto::FeatureSet>) -> Scope<'a> {
        Scope {
            file: self.file,
            nested_at: self.nested_at,
            name: &head.name,
            path: &head.path,
            features: self.features.within(said),
            java_checks: self.java_checks,
        }
    }
}

fn add_message(schema: &mut Schema, around: &Scope, at: At, from: proto::Message) -> Result<(), String> {
    let head = around.head(at, &from.name)?;
    let options = from.options.unwrap_or_default();
    let scope = around.within(&head, options.features.as_ref());
    let entries = entries(&scope, &from.nested_type);
    let fields = fields::of_message(&scope, from.field, &from.oneof_decl, &entries, options.map_entry)?;
    for (index, nested) in from.nested_type.into_iter().enumerate() {
        let nested_at = schema.messages.len();
        add_message(schema, &scope, At(in_message::MESSAGE, index), nested)?;
        move_entry(schema, nested_at, &scope, &fields);
    }
    for (index, of) in from.enum_type.into_iter().enumerate() {
        add_enum(schema, &scope, At(in_message::ENUM, index), of)?;
    }
    for (index, extension) in from.extension.into_iter().enumerate() {
        add_extension(schema, &scope, At(in_message::EXTENSION, index), extension)?;
    }
    let json = scope.features.json;
    schema.messages.push(Message {
        oneofs: fields::written_oneofs(&fields, &from.oneof_decl),
        fields,
        extensions: ranges(&from.extension_range, 1),
        reserved: ranges(&from.reserved_range, 1),
        reserved_names: from.reserved_name,
        is_map_entry: options.map_entry,
        hides_descriptor: options.no_standard_descriptor_accessor,
        json,
        head,
    });
    Ok(())
}

/// The full names of the map entries among the messages that are nested in a scope.
fn entries(scope: &Scope, nested: &[proto::Message]) -> HashSet<String> {
    let is_entry = |message: &&proto::Message| {
        message.options.as_ref().is_some_and(|options| options.map_entry) && !message.name.is_empty()
    };
    nested.iter().filter(is_entry).map(|entry| format!("{}.{}", scope.name, entry.name)).collect()
}

/// A compiler makes a map's entry and gives it no place of its own: it lies where its field does.
fn move_entry(schema: &mut Schema, from: usize, scope: &Scope, fields: &[super::elements::Field]) {
    let Some(entry) = schema.messages.get_mut(from..).and_then(<[Message]>::last_mut) else { return };
    if !entry.is_map_entry {
        return;
    }
    let field = fields.iter().position(|field| field.type_name == entry.head.name);
    if let Some(index) = field.and_then(|index| i32::try_from(index).ok()) {
        entry.head.path = [scope.path, &[in_message::FIELD, index]].concat();
    }
}

fn add_enum(schema: &mut Schema, around: &Scope, at: At, from: proto::Enum) -> Result<(), String> {
    let head = around.head(at, &from.name)?;
    let features = around.features.within(from.options.and_then(|options| options.features).as_ref());
    let value = |value: proto::EnumValue| EnumValue { name: value.name, number: value.number };
    schema.enums.push(Enum {
        head,
        values: from.value.into_iter().map(value).collect(),
        reserved: ranges(&from.reserved_range, 0),
        reserved_names: from.reserved_name,
        closed: features.closed_enum,
        json: features.json,
    });
    Ok(())
}

fn add_extension(schema: &mut Schema, around: &Scope, at: At, from: proto::Field) -> Result<(), String> {
    let head = around.head(at, &from.name)?;
    let extendee = fields::without_dot(&from.extendee);
    let mut field = fields::extension(around, from)?;
    field.name.clone_from(&head.name);
    schema.extensions.push(Extension { head, extendee, field });
    Ok(())
}

fn add_service(schema: &mut Schema, around: &Scope, at: At, from: proto::Service) -> Result<(), String> {
    let head = around.head(at, &from.name)?;
    let method = |method: proto::Method| Method {
        request: fields::without_dot(&method.input_type),
        response: fields::without_dot(&method.output_type),
        client_streaming: method.client_streaming,
        server_streaming: method.server_streaming,
        idempotency: method.options.map_or(0, |options| options.idempotency_level),
        name: method.name,
    };
    schema.services.push(Service { methods: from.method.into_iter().map(method).collect(), head });
    Ok(())
}

/// Ranges with both ends included; `past` is how far an end lies past the last number. Empty ones are left out.
fn ranges(from: &[proto::Range], past: i64) -> Vec<Numbers> {
    let numbers =
        |range: &proto::Range| Numbers { first: range.start.into(), last: i64::from(range.end) - past };
    from.iter().map(numbers).filter(|numbers| numbers.first <= numbers.last).collect()
}
