//! Findings as SARIF 2.1.0, which code scanning reads: one run, a result per finding.
//!
//! The format is OASIS's "Static Analysis Results Interchange Format". A result's places in a baseline are related
//! locations, since the file may be gone; its consumers are properties. What is waived is a result that is suppressed, with
//! the reason: code scanning closes it and can still show it.

use serde_json::{Value, json};

use super::words;
use crate::compat::waivers::Waived;
use crate::finding::{Affected, Finding, Mark};
use crate::pages::pages;

/// The findings, and what was waived, as a SARIF log; `root` is the folder of the contracts, `version` that of this command.
#[must_use]
pub fn render_sarif(findings: &[Finding], waived: &[Waived], root: &str, version: &str) -> String {
    let rules = rules(findings.iter().chain(waived.iter().map(|waived| &waived.finding)));
    let stand = findings.iter().map(|finding| result(finding, &rules, root));
    let results: Vec<Value> =
        stand.chain(waived.iter().map(|waived| suppressed(waived, &rules, root))).collect();
    let rules: Vec<Value> = rules.into_iter().map(rule).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "freehold", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// The rules that found something, each once, ascending.
fn rules<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<&'static str> {
    let mut rules: Vec<&str> = findings.map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn rule(id: &str) -> Value {
    let mut rule = json!({ "id": id });
    if let Some(page) = pages().find(|page| page.id == id) {
        rule["shortDescription"] = json!({ "text": page.purpose });
        rule["help"] = json!({ "text": page.text, "markdown": page.text });
    }
    rule
}

fn result(finding: &Finding, rules: &[&str], root: &str) -> Value {
    let primary = finding.primary();
    let others =
        finding.places.iter().filter(|mark| !primary.is_some_and(|primary| std::ptr::eq(primary, *mark)));
    let needs = finding.affected.iter().filter_map(|affected| affected.need.as_ref());
    let related: Vec<Value> = others.chain(needs).map(|mark| location(mark, root)).collect();
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": finding.severity.as_str(),
        "message": { "text": words::paragraph(finding) },
        "locations": primary.map(|mark| location(mark, root)).into_iter().collect::<Vec<_>>(),
        "relatedLocations": related,
    });
    if !finding.element.is_empty() {
        result["properties"] = json!({
            "element": finding.element,
            "consumers": finding.affected.iter().map(consumer).collect::<Vec<_>>(),
        });
        // The element tells a finding from others also where its line has moved.
        result["partialFingerprints"] =
            json!({ "ruleAndElement/v1": format!("{} {}", finding.rule, finding.element) });
    }
    result
}

/// A finding as far as it was waived: for the one consumer that the waiver names.
fn suppressed(Waived { waiver, finding }: &Waived, rules: &[&str], root: &str) -> Value {
    let mut finding = finding.clone();
    finding.affected.retain(|hit| Some(&hit.consumer) == waiver.consumer.as_ref());
    let mut result = result(&finding, rules, root);
    let whom = waiver.consumer.as_deref().unwrap_or_default();
    let name = format!("{} {} {whom}", finding.rule, finding.element);
    result["partialFingerprints"] = json!({ "ruleAndElement/v1": name.trim_end() });
    result["suppressions"] = json!([{
        "kind": "external",
        "status": "accepted",
        "justification": format!("{} (until {})", waiver.reason, waiver.expires),
        "location": { "physicalLocation": {
            "artifactLocation": { "uri": uri(&waiver.place.file) },
            "region": { "startLine": waiver.place.line },
        }},
    }]);
    result
}

fn location(mark: &Mark, root: &str) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&words::path(root, &mark.place.file)) } });
    if !mark.place.is_whole() {
        physical["region"] = json!({ "startLine": mark.place.line, "startColumn": mark.place.column });
    }
    let mut location = json!({ "physicalLocation": physical });
    let baseline = mark.baseline.as_ref().map(|baseline| format!("as of {baseline}"));
    let said = [Some(mark.label.clone()), baseline].into_iter().flatten().filter(|text| !text.is_empty());
    let said = said.collect::<Vec<_>>().join(", ");
    if !said.is_empty() {
        location["message"] = json!({ "text": said });
    }
    location
}

fn consumer(affected: &Affected) -> Value {
    json!({ "name": affected.consumer, "contact": affected.contact, "verdict": affected.verdict.as_str() })
}

/// A path as a relative reference (RFC 3986): what a path of a URI cannot hold is written as `%XX`.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'+' | b'@' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
