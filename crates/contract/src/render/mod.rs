//! Findings for people and for programs.
//!
//! In go findings and the sources that their places lie in; out comes a String, which the caller prints. Every format says
//! the same of the same findings: rule, severity, file, line and column, the sentence, the consumers, the way out.

mod consumers;
mod excerpt;
mod github;
mod json;
mod junit;
mod sarif;
mod text;
mod waived;
mod words;

pub use consumers::render_consumers;
pub use github::render_github_actions;
pub use json::render_json;
pub use junit::render_junit;
pub use sarif::render_sarif;
pub use text::{render_text, render_text_color};
pub use waived::{render_waived, render_waived_json};

#[cfg(test)]
mod tests;
