//! A state of contracts, as it was read and not compiled yet: texts, or an encoded descriptor set.
//!
//! In goes what a path or a git ref holds; out come a contract for the verdict of the mesh, or a schema for the categories
//! of plain Protobuf. **Invariant:** what does not compile comes back with all findings, marked as this state's.

use std::path::Path;

use freehold_contract::compat::Contract;
use freehold_contract::schema::Schema;
use freehold_contract::{DescriptorsError, Finding, Sources};

use crate::contracts::{self, ReadError};

/// A state of contracts.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// The texts of a folder, or of a tree of git.
    Texts(Sources),
    /// An encoded `FileDescriptorSet`.
    Descriptors(Vec<u8>),
}

/// Why a state cannot be compared.
#[derive(Debug)]
pub(crate) enum StateError {
    /// Its texts do not compile.
    NotCompiled(Vec<Finding>, Sources),
    /// Its descriptors are not understood.
    Descriptors(NoDescriptors),
}

/// The bytes are no descriptor set that is understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{name}` is no descriptor set that can be compared; write one with its imports: `protoc --include_imports \
     --descriptor_set_out=FILE`, `buf build -o FILE`, or `freehold release`"
)]
pub(crate) struct NoDescriptors {
    name: String,
    #[source]
    cause: DescriptorsError,
}

impl State {
    /// What a path holds: a folder of .proto files, or a file with a descriptor set.
    pub(crate) fn of_path(path: &Path) -> Result<Self, ReadError> {
        if path.is_dir() {
            return contracts::read(path).map(Self::Texts);
        }
        if path.extension().is_some_and(|extension| extension == "proto") {
            let folder = path.parent().unwrap_or(path);
            return Err(ReadError::OneFile { path: path.to_owned(), folder: folder.to_owned() });
        }
        contracts::bytes(path).map(Self::Descriptors)
    }

    /// The contract that it is; `name` is the baseline's, none for the contracts at hand.
    pub(crate) fn contract(self, name: Option<&str>) -> Result<Contract, StateError> {
        match self {
            Self::Texts(sources) => Contract::compile(sources)
                .map_err(|(findings, sources)| not_compiled(findings, sources, name)),
            Self::Descriptors(bytes) => Contract::decode(&bytes).map_err(|cause| no_descriptors(cause, name)),
        }
    }

    /// Its descriptors as plain data, and its texts.
    pub(crate) fn schema(self, name: Option<&str>) -> Result<(Schema, Sources), StateError> {
        match self {
            Self::Texts(sources) => {
                let model = match freehold_contract::load(&sources) {
                    Ok(model) => model,
                    Err(findings) => return Err(not_compiled(findings, sources, name)),
                };
                let schema = Schema::decode_with(&model.descriptors, &sources);
                Ok((schema.map_err(|cause| no_descriptors(cause, name))?, sources))
            }
            Self::Descriptors(bytes) => {
                let schema = Schema::decode(&bytes).map_err(|cause| no_descriptors(cause, name))?;
                Ok((schema, Sources::default()))
            }
        }
    }
}

fn not_compiled(mut findings: Vec<Finding>, sources: Sources, name: Option<&str>) -> StateError {
    for mark in findings.iter_mut().flat_map(|finding| &mut finding.places) {
        mark.baseline = name.map(str::to_owned);
    }
    StateError::NotCompiled(findings, sources)
}

fn no_descriptors(cause: DescriptorsError, name: Option<&str>) -> StateError {
    let name = name.unwrap_or("the contracts at hand").to_owned();
    StateError::Descriptors(NoDescriptors { name, cause })
}
