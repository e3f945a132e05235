//! Findings on standard output, in the format that was asked for, and their number on standard error.

use std::io::{IsTerminal, stdout};
use std::path::Path;

use freehold_contract::compat::waivers::Waived;
use freehold_contract::{
    Finding, Severity, Texts, render_github_actions, render_json, render_junit, render_sarif, render_text,
    render_text_color,
};

use crate::cli::ErrorFormat;
use crate::exit::Failure;
use crate::output;

/// Where findings go, and as what.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// The verb that reports, as test suites are named: "freehold check".
    pub(crate) suite: &'static str,
    /// The folder of the contracts as formats for machines name files below it; empty where there is none.
    pub(crate) root: String,
    /// The format.
    pub(crate) format: ErrorFormat,
}

impl Report {
    /// A report on the contracts of a folder.
    pub(crate) fn on(suite: &'static str, folder: &Path, format: ErrorFormat) -> Self {
        let root = folder.to_string_lossy().replace('\\', "/");
        Self { suite, root: root.strip_prefix("./").unwrap_or(&root).to_owned(), format }
    }

    /// Writes all findings.
    pub(crate) fn print<'a>(&self, findings: &[Finding], texts: impl Into<Texts<'a>>) -> Result<(), Failure> {
        self.print_with(findings, &[], texts)
    }

    /// Writes all findings, and what was waived where the format has a place for it among them.
    pub(crate) fn print_with<'a>(
        &self,
        findings: &[Finding],
        waived: &[Waived],
        texts: impl Into<Texts<'a>>,
    ) -> Result<(), Failure> {
        let text = match self.format {
            ErrorFormat::Text if stdout().is_terminal() => render_text_color(findings, texts),
            ErrorFormat::Text => render_text(findings, texts),
            ErrorFormat::Json => render_json(findings),
            ErrorFormat::GithubActions => render_github_actions(findings, &self.root),
            ErrorFormat::Junit => render_junit(findings, &self.root, self.suite),
            ErrorFormat::Sarif => render_sarif(findings, waived, &self.root, env!("CARGO_PKG_VERSION")),
        };
        output::write(text.as_bytes())
    }
}

/// Whether any of them refuses the contracts.
pub(crate) fn refuse(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// "2 errors, 1 warnings"; notes are not counted.
pub(crate) fn count(findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    format!("{} errors, {} warnings", of(Severity::Error), of(Severity::Warning))
}
