//! Contract model to Rust source: the SDK, each consumer's needs, and the contract language itself.
//!
//! Pure: a model and a layout go in, the files come out as bytes, the same ones every time. What it writes is read by
//! people, so it is formatted, documented with the contract's own comments, and split as one would by hand.
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
mod traits;

pub use error::Error;
pub use layout::{Language, Layout};
pub use output::{File, generate};
