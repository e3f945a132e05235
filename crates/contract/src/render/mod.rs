//! Findings for people and for programs.
//!
//! In go findings and the sources that their places lie in; out comes a String, which the caller prints.

mod excerpt;
mod json;
mod text;

pub use json::render_json;
pub use text::{render_text, render_text_color};
