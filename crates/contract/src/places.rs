//! Where things stand: descriptor paths to bytes of the sources, and the comments above them.
//!
//! A path is that of `google.protobuf.SourceCodeInfo`; the columns that the parser writes there count bytes.
//! **Invariant:** a place lies inside the text of its file, on character boundaries, or is empty at its start.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{DescriptorPool, FieldDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor};
use prost_types::FileDescriptorProto;
use prost_types::source_code_info::Location;

use crate::model::Place;
use crate::sources::Sources;

/// The tag of `name` in the descriptors of messages, fields, services and methods.
const NAME: i32 = 1;
/// The tag of `package` in that of files.
const PACKAGE: i32 = 2;
/// The tags of `input_type` and `output_type` in that of methods.
const INPUT: i32 = 2;
const OUTPUT: i32 = 3;

/// The tags of `options` in the descriptors.
mod options {
    pub(super) const FILE: i32 = 8;
    pub(super) const MESSAGE: i32 = 7;
    pub(super) const FIELD: i32 = 8;
    pub(super) const METHOD: i32 = 4;
}

/// The places of all files of a pool.
#[derive(Debug)]
pub(crate) struct Places {
    files: BTreeMap<String, FilePlaces>,
}

/// The places of one file.
#[derive(Debug)]
pub(crate) struct FilePlaces {
    name: String,
    locations: HashMap<Vec<i32>, Spot>,
}

#[derive(Debug)]
struct Spot {
    start: usize,
    end: usize,
    line: usize,
    column: usize,
    docs: Vec<String>,
}

impl Places {
    /// The places of the pool's files in their texts; empty places where a text is not known.
    pub(crate) fn new(pool: &DescriptorPool, sources: &Sources) -> Self {
        let places = |file: FileDescriptor| {
            (file.name().to_owned(), FilePlaces::new(file.file_descriptor_proto(), sources.text(file.name())))
        };
        Self { files: pool.files().map(places).collect() }
    }

    /// The statement of a file option, given as its number and, for a repeated one, its index.
    pub(crate) fn file_option(&self, file: &FileDescriptor, option: &[i32]) -> Place {
        self.option(file.name(), &[], options::FILE, option)
    }

    /// The name of a message.
    pub(crate) fn message(&self, message: &MessageDescriptor) -> Place {
        self.at(message.parent_file().name(), &join(message.path(), &[NAME]))
    }

    /// The statement of a message option, or the message's name where it has none.
    pub(crate) fn message_option(&self, message: &MessageDescriptor, option: &[i32]) -> Place {
        self.option(message.parent_file().name(), message.path(), options::MESSAGE, option)
    }

    /// A whole field.
    pub(crate) fn field(&self, field: &FieldDescriptor) -> Place {
        self.at(field.parent_message().parent_file().name(), field.path())
    }

    /// A field's option, or the field's name where it has none.
    pub(crate) fn field_option(&self, field: &FieldDescriptor, option: &[i32]) -> Place {
        self.option(field.parent_message().parent_file().name(), field.path(), options::FIELD, option)
    }

    /// The name of a method.
    pub(crate) fn method(&self, method: &MethodDescriptor) -> Place {
        self.at(method.parent_service().parent_file().name(), &join(method.path(), &[NAME]))
    }

    /// The type that a method takes, or else the one that it returns.
    pub(crate) fn method_type(&self, method: &MethodDescriptor, is_reply: bool) -> Place {
        let tag = if is_reply { OUTPUT } else { INPUT };
        self.at(method.parent_service().parent_file().name(), &join(method.path(), &[tag]))
    }

    /// The statement of a method option, or the method's name where it has none.
    pub(crate) fn method_option(&self, method: &MethodDescriptor, option: &[i32]) -> Place {
        self.option(method.parent_service().parent_file().name(), method.path(), options::METHOD, option)
    }

    /// The statement that names the package of a file.
    pub(crate) fn package(&self, file: &FileDescriptor) -> Place {
        self.at(file.name(), &[PACKAGE])
    }

    /// The whole statement that the path stands for: a value of an enum, say.
    pub(crate) fn statement(&self, file: &FileDescriptor, path: &[i32]) -> Place {
        self.at(file.name(), path)
    }

    /// What the path stands for: the name of a service, say.
    pub(crate) fn name(&self, file: &FileDescriptor, path: &[i32]) -> Place {
        self.at(file.name(), &join(path, &[NAME]))
    }

    /// The comment above what the path stands for, a line each.
    pub(crate) fn docs(&self, file: &FileDescriptor, path: &[i32]) -> Vec<String> {
        let spot = self.files.get(file.name()).and_then(|file| file.locations.get(path));
        spot.map(|spot| spot.docs.clone()).unwrap_or_default()
    }

    /// An option may be set whole or member by member; whichever statement stands nearest is it.
    fn option(&self, file: &str, parent: &[i32], tag: i32, option: &[i32]) -> Place {
        let known = self.files.get(file);
        let whole =
            (1..=option.len()).rev().map(|length| join(parent, &[&[tag], &option[..length]].concat()));
        let mut written = whole.filter_map(|path| known.and_then(|known| known.find(&path)));
        written.next().unwrap_or_else(|| self.at(file, &join(parent, &[NAME])))
    }

    fn at(&self, file: &str, path: &[i32]) -> Place {
        match self.files.get(file) {
            Some(known) => known.at(path),
            None => Place::whole(file),
        }
    }
}

impl FilePlaces {
    /// The places of a file in its text.
    pub(crate) fn new(file: &FileDescriptorProto, text: Option<&str>) -> Self {
        let lines = LineStarts::new(text.unwrap_or_default());
        let mut locations = HashMap::new();
        for location in file.source_code_info.iter().flat_map(|info| &info.location) {
            let (start, end) = lines.range(&location.span);
            let (line, column) = lines.point(&location.span, start);
            let spot = Spot { start, end, line, column, docs: docs(location) };
            locations.entry(location.path.clone()).or_insert(spot);
        }
        Self { name: file.name().to_owned(), locations }
    }

    /// The place of the path, or of the nearest thing around it.
    pub(crate) fn at(&self, path: &[i32]) -> Place {
        let around = (0..=path.len()).rev().find_map(|length| self.find(&path[..length]));
        around.unwrap_or_else(|| Place::whole(&self.name))
    }

    /// The place of exactly that path, if it is written.
    pub(crate) fn find(&self, path: &[i32]) -> Option<Place> {
        let spot = self.locations.get(path)?;
        let Spot { start, end, line, column, .. } = *spot;
        Some(Place { file: self.name.clone(), start, end, line, column })
    }
}

/// Where the lines of a text begin.
struct LineStarts<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineStarts<'a> {
    fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The bytes of a span: line, column, (end line,) end column, all from 0.
    fn range(&self, span: &[i32]) -> (usize, usize) {
        match *span {
            [line, start, end] => (self.offset(line, start), self.offset(line, end)),
            [line, start, end_line, end] => (self.offset(line, start), self.offset(end_line, end)),
            _ => (0, 0),
        }
    }

    /// Line and column from 1; the column in characters where the text is known.
    fn point(&self, span: &[i32], start: usize) -> (usize, usize) {
        let [line, column, ..] = *span else { return (0, 0) };
        let (Ok(line), Ok(column)) = (usize::try_from(line), usize::try_from(column)) else { return (0, 0) };
        let first = self.starts.get(line).copied().filter(|first| *first <= start);
        let before = first.and_then(|first| self.text.get(first..start)).map(|text| text.chars().count());
        (line + 1, before.filter(|_| !self.text.is_empty()).unwrap_or(column) + 1)
    }

    /// A span that does not fit the text, out of a descriptor set made from another one, must not make us fail.
    fn offset(&self, line: i32, column: i32) -> usize {
        let start =
            usize::try_from(line).ok().and_then(|line| self.starts.get(line)).copied().unwrap_or_default();
        let offset = start.saturating_add(usize::try_from(column).unwrap_or_default());
        if self.text.is_char_boundary(offset) { offset } else { start }
    }
}

/// The comment above, or else the one behind; a line each, without the space that follows the slashes.
fn docs(location: &Location) -> Vec<String> {
    let comment =
        [location.leading_comments(), location.trailing_comments()].into_iter().find(|text| !text.is_empty());
    let lines = comment.unwrap_or_default().trim_end().lines();
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()).collect()
}

fn join(path: &[i32], rest: &[i32]) -> Vec<i32> {
    [path, rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_counts_bytes_and_a_span_beyond_the_text_is_empty() {
        let lines = LineStarts::new("a\n\u{e9}\u{e9} b\n");
        assert_eq!(lines.range(&[1, 5, 6]), (7, 8));
        assert_eq!(lines.range(&[1, 1, 2]), (2, 4), "an end inside a character is none: the start stands in");
        assert_eq!(lines.range(&[9, 1, 2]), (1, 2));
        assert_eq!(lines.range(&[-1, -1, -1]), (0, 0));
    }

    #[test]
    fn a_comment_loses_the_space_after_its_slashes_and_nothing_else() {
        let location =
            Location { leading_comments: Some(" One.\n   - two\n\n".to_owned()), ..Location::default() };
        assert_eq!(docs(&location), ["One.", "  - two"]);
    }
}
