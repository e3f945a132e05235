//! Findings for programs: one JSON object per line.

use serde_json::{Value, json};

use super::excerpt::excerpt;
use crate::finding::{Finding, Mark, Severity};
use crate::sources::Sources;

/// The findings as JSON, an object per line: `rule`, `severity`, `message`, `help`, and `places`, the primary one first.
///
/// Of a place: `file`; `line` and `column`, from 1, in characters; `start` and `end`, in bytes of the file; `label`.
#[must_use]
pub fn render_json(findings: &[Finding], sources: &Sources) -> String {
    findings.iter().map(|finding| format!("{}\n", object(finding, sources))).collect()
}

fn object(finding: &Finding, sources: &Sources) -> Value {
    let places: Vec<Value> = finding.places.iter().map(|mark| place(mark, sources)).collect();
    json!({
        "rule": finding.rule,
        "severity": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": finding.message,
        "help": finding.help,
        "places": places,
    })
}

fn place(mark: &Mark, sources: &Sources) -> Value {
    let excerpt = excerpt(sources.text(&mark.place.file).unwrap_or_default(), &mark.place);
    json!({
        "file": mark.place.file,
        "line": excerpt.line,
        "column": excerpt.column,
        "start": mark.place.start,
        "end": mark.place.end,
        "label": mark.label,
    })
}
