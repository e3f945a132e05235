//! Descriptors as plain data: what two states of a tree are compared by.
//!
//! In goes an encoded `FileDescriptorSet`, of any syntax or edition up to 2024; out come its files and what they declare,
//! flat, with full names and resolved features. Places come out of the source info, on demand.
//! **Invariant:** whatever the bytes say, the answer is a schema or a typed error.

mod elements;
mod features;
mod fields;
mod flatten;
mod proto;

use prost::Message as _;
use prost::bytes::Bytes;
use prost_types::FileDescriptorProto;

use crate::descriptors::DescriptorsError;
use crate::model::Place;
use crate::places::FilePlaces;
use crate::sources::Sources;

pub(crate) use elements::{
    Cardinality, Enum, Extension, Field, File, FileOptions, Head, Kind, Message, Method, Numbers, Service,
};
pub(crate) use features::{CppString, Edition};

/// The files of a descriptor set and what they declare.
#[derive(Debug, Default)]
pub struct Schema {
    pub(crate) files: Vec<File>,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) services: Vec<Service>,
    pub(crate) extensions: Vec<Extension>,
}

impl Schema {
    /// Reads an encoded `google.protobuf.FileDescriptorSet`. Places have lines and columns where the set holds source
    /// info, and no offsets, since there is no text.
    ///
    /// # Errors
    /// The bytes are no descriptor set, contradict themselves, or have an edition that is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, DescriptorsError> {
        let set = proto::FileSet::decode(Bytes::copy_from_slice(bytes)).map_err(DescriptorsError::Decode)?;
        flatten::schema(set)
    }

    /// The same, with the texts that the set was compiled from: places have offsets in them.
    ///
    /// # Errors
    /// As `decode`.
    pub fn decode_with(bytes: &[u8], sources: &Sources) -> Result<Self, DescriptorsError> {
        let mut schema = Self::decode(bytes)?;
        for file in &mut schema.files {
            file.text = sources.text(&file.path).map(str::to_owned);
        }
        Ok(schema)
    }

    /// Whether the file of that index is written in an edition.
    pub(crate) fn is_of_edition(&self, file: usize) -> bool {
        self.files.get(file).is_some_and(|file| file.edition >= Edition::Of2023)
    }
}

impl File {
    /// The place of what a descriptor path stands for, or of the nearest thing around it.
    pub(crate) fn place(&self, path: &[i32]) -> Place {
        self.places().at(path)
    }

    /// The place of exactly that, if it is written.
    pub(crate) fn written(&self, path: &[i32]) -> Option<Place> {
        self.places().find(path)
    }

    fn places(&self) -> &FilePlaces {
        self.places.get_or_init(|| {
            // Source info that cannot be read makes a place less exact, never a comparison fail.
            let info = prost_types::SourceCodeInfo::decode(self.source_info.clone()).ok();
            let name = Some(self.path.clone());
            let file = FileDescriptorProto { name, source_code_info: info, ..FileDescriptorProto::default() };
            FilePlaces::new(&file, self.text.as_deref())
        })
    }
}
