//! Contracts from Protobuf sources: compiled, modelled, linted. Pure, no IO.
//!
//! `load` turns (path, text) pairs into a [`model::Model`], or into findings where a file does not compile; `check` holds
//! the model against the rules. Whoever calls brings the texts and prints what `render` makes of the findings.
//! **Invariant:** no input makes this crate panic; whatever is wrong with it comes back as a [`Finding`].

mod assemble;
mod bundled;
pub mod compat;
mod compile;
mod descriptors;
mod editions;
mod finding;
mod imports;
pub mod language;
pub mod model;
mod near;
mod nesting;
mod pages;
mod places;
mod release;
mod render;
pub mod rules;
pub mod schema;
mod sources;

pub use assemble::services;
pub use compile::load;
pub use descriptors::{DescriptorsError, load_descriptors};
pub use finding::{Affected, Finding, Mark, Severity, Verdict};
pub use model::Model;
pub use near::nearest;
pub use pages::{Page, page, pages};
pub use release::release_bytes;
pub use render::{
    render_consumers, render_github_actions, render_json, render_junit, render_sarif, render_text,
    render_text_color, render_waived, render_waived_json,
};
pub use rules::check;
pub use sources::{Sources, Texts};
