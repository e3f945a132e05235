//! Findings as GitHub shows them beside the lines of a pull request: one workflow command per line.
//!
//! The commands and what they escape: docs.github.com, "Workflow commands for GitHub Actions". What GitHub shows is one
//! place per finding; the sentence names the consumers.

use std::fmt::Write as _;

use super::words;
use crate::finding::{Finding, Severity};

/// The findings as workflow commands: `::error file=..,line=..,col=..,title=FH3003::..`.
///
/// `root` is the folder of the contracts as it is called from the root of the repository; GitHub finds lines by that.
#[must_use]
pub fn render_github_actions(findings: &[Finding], root: &str) -> String {
    findings.iter().map(|finding| command(finding, root)).collect()
}

fn command(finding: &Finding, root: &str) -> String {
    let mut properties = String::new();
    if let Some(mark) = finding.primary() {
        let _ = write!(properties, "file={},", property(&words::path(root, &mark.place.file)));
        if !mark.place.is_whole() {
            let _ = write!(properties, "line={},col={},", mark.place.line, mark.place.column);
        }
    }
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let title = property(finding.rule);
    format!("::{level} {properties}title={title}::{}\n", data(&words::paragraph(finding)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
