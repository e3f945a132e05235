//! Contract model to Rust source: the SDK, each consumer's needs, and the contract language itself.
//!
//! [`generate`] is pure: a model and a layout go in, the files come out as bytes, the same ones every time; [`tree`] brings
//! them to disk. What is written is read by people: formatted, documented with the contract's own comments, and split as
//! one would by hand. It names other crates by the name that Rust has for them, so a manifest says where they come from.
//! **Invariant:** no contract makes it panic; what Rust has no form for is a typed [`Error`].

mod collisions;
mod docs;
mod emit;
mod error;
mod format;
mod items;
mod layout;
mod names;
mod needs;
mod output;
mod package;
mod paths;
mod read;
pub mod semver;
mod traits;
pub mod tree;

pub use error::Error;
pub use layout::{Language, Layout};
pub use output::{File, generate};
