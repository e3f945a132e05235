//! What a change of contracts breaks, and whom.
//!
//! In go the contracts at hand and one or more baselines; out come findings, each with the rule, the lines, the element
//! that it is about, and the consumers that it hits. Two questions can be asked: what breaks in this mesh, for whom, by
//! the declared needs; or what plain Protobuf breaks in one of the four categories that others know.
//! **Invariant:** contracts compared with themselves break nothing.

mod mesh;
pub mod plain;
pub mod waivers;

pub use mesh::{Outcome, RULES, Report, Rule, mesh};

use crate::compile::load;
use crate::descriptors::{DescriptorsError, load_descriptors};
use crate::finding::Finding;
use crate::model::Model;
use crate::sources::Sources;

/// A state of the contracts of a mesh.
#[derive(Debug, Clone)]
pub struct Contract {
    /// What they say.
    pub model: Model,
    /// The texts that they were compiled from; empty for a descriptor set.
    pub sources: Sources,
}

impl Contract {
    /// Compiles texts.
    ///
    /// # Errors
    /// All findings of all files that do not compile, and the sources for whoever shows them.
    pub fn compile(sources: Sources) -> Result<Self, (Vec<Finding>, Sources)> {
        match load(&sources) {
            Ok(model) => Ok(Self { model, sources }),
            Err(findings) => Err((findings, sources)),
        }
    }

    /// Loads an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// The bytes are no descriptor set, or not one that is understood.
    pub fn decode(bytes: &[u8]) -> Result<Self, DescriptorsError> {
        Ok(Self { model: load_descriptors(bytes)?, sources: Sources::default() })
    }
}

/// What the contracts at hand are compared with.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// What it is called in findings: a git ref, a folder, a release.
    pub name: String,
    /// What it said.
    pub contract: Contract,
    /// Who may still hold to it.
    pub life: Life,
}

/// Who may still hold to a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Callers, owners and stored events do: it runs.
    Live,
    /// Stored events and replicas alone: it was released once. They are replayed, so every release counts.
    Released,
}

/// How much of plain Protobuf counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Generated code in any language, file by file.
    File,
    /// Generated code in any language, package by package: a thing may move to another file of its package.
    Package,
    /// The binary and the JSON encoding.
    WireJson,
    /// The binary encoding.
    Wire,
}
