//! Findings as JUnit XML, which GitLab, Jenkins and most others show as failed tests.
//!
//! A test case per finding, named after the rule and what it is about; what is no error passes and says what it is in its output. Without
//! findings there is one case that passes, since a suite without cases counts as one that did not run.

use std::fmt::Write as _;

use super::words;
use crate::finding::{Finding, Severity};

/// The findings as a suite of this name; `root` is the folder of the contracts.
#[must_use]
pub fn render_junit(findings: &[Finding], root: &str, suite: &str) -> String {
    let cases: String = match findings {
        [] => format!("    <testcase classname=\"freehold\" name=\"{}\"/>\n", escaped(suite)),
        found => found.iter().map(|finding| case(finding, root)).collect(),
    };
    let failures = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", findings.len().max(1));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{}\" {counts}>\n{cases}  \
         </testsuite>\n</testsuites>\n",
        escaped(suite)
    )
}

fn case(finding: &Finding, root: &str) -> String {
    let mut place = String::new();
    if let Some(mark) = finding.primary() {
        let _ = write!(place, " file=\"{}\"", escaped(&words::path(root, &mark.place.file)));
        if !mark.place.is_whole() {
            let _ = write!(place, " line=\"{}\" column=\"{}\"", mark.place.line, mark.place.column);
        }
    }
    let says = escaped(&words::paragraph(finding));
    let outcome = match finding.severity {
        Severity::Error => {
            let message = escaped(&finding.message);
            format!("<failure type=\"{}\" message=\"{message}\">{says}</failure>", escaped(finding.rule))
        }
        Severity::Warning | Severity::Note => {
            format!("<system-out>{}: {says}</system-out>", finding.severity.as_str())
        }
    };
    let name = if finding.element.is_empty() { &finding.message } else { &finding.element };
    let (rule, name) = (escaped(finding.rule), escaped(name));
    format!("    <testcase classname=\"{rule}\" name=\"{name}\"{place}>\n      {outcome}\n    </testcase>\n")
}

/// Text for an element or an attribute in double quotes; what XML 1.0 cannot hold is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push('\t'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
