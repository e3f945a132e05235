//! Findings for programs: one JSON object per line.

use serde_json::{Value, json};

use crate::finding::{Affected, Finding, Mark};
use crate::model::Place;

/// The findings as JSON, an object per line: `rule`, `severity`, `message`, `help`, `file`, `line`, `column`, `places`, and
/// of a change `element` and `consumers`.
///
/// File, line and column are those of one place, in the contracts at hand where any is; the baseline's otherwise. Of a place: `file`; `line`, from 1, 0 where the file as a whole is meant; `column`, from 1, in characters; `start` and
/// `end`, in bytes of the file; `label`; `baseline`, only where it lies in one. Of a consumer: `name`, `contact`,
/// `verdict`, and `need`, the place of the line of its needs.
#[must_use]
pub fn render_json(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{}\n", object(finding))).collect()
}

fn object(finding: &Finding) -> Value {
    let mut object = json!({
        "rule": finding.rule,
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "help": finding.help,
        "places": finding.places.iter().map(place).collect::<Vec<_>>(),
    });
    let (file, line, column) = finding.primary().map_or(("", 0, 0), |mark| {
        let Place { file, line, column, .. } = &mark.place;
        (file, *line, *column)
    });
    object["file"] = file.into();
    object["line"] = line.into();
    object["column"] = column.into();
    if !finding.element.is_empty() {
        object["element"] = finding.element.as_str().into();
        object["consumers"] = finding.affected.iter().map(consumer).collect();
    }
    object
}

fn place(mark: &Mark) -> Value {
    let mut place = json!({
        "file": mark.place.file,
        "line": mark.place.line,
        "column": mark.place.column,
        "start": mark.place.start,
        "end": mark.place.end,
        "label": mark.label,
    });
    if let Some(baseline) = &mark.baseline {
        place["baseline"] = baseline.as_str().into();
    }
    place
}

fn consumer(affected: &Affected) -> Value {
    json!({
        "name": affected.consumer,
        "contact": affected.contact,
        "verdict": affected.verdict.as_str(),
        "need": affected.need.as_ref().map(place),
    })
}
