//! What was waived, at the end of a report: for people a line each, for programs an object each.

use serde_json::json;

use super::excerpt::printable;
use crate::compat::waivers::Waived;

/// A line for each break that is accepted: until when, the rule, the element, the consumer and the reason.
#[must_use]
pub fn render_waived(waived: &[Waived]) -> String {
    let line = |Waived { waiver, .. }: &Waived| {
        let whom = waiver.consumer.as_ref().map(|consumer| format!(" for {consumer}")).unwrap_or_default();
        let (rule, element) = (&waiver.rule, &waiver.element);
        let line = format!("waived until {}: {rule} of `{element}`{whom}: {}", waiver.expires, waiver.reason);
        // A reason may have several lines, and the report has one for it.
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ").chars().map(printable).chain(['\n']).collect::<String>()
    };
    waived.iter().map(line).collect()
}

/// The same as JSON, an object per line, all of it under `waived`: `rule`, `element`, `consumer`, `reason`, `expires`, the
/// `file` and the `line` of the waiver, and the `message` of the finding.
#[must_use]
pub fn render_waived_json(waived: &[Waived]) -> String {
    let object = |Waived { waiver, finding }: &Waived| {
        let object = json!({ "waived": {
            "rule": waiver.rule,
            "element": waiver.element,
            "consumer": waiver.consumer,
            "reason": waiver.reason,
            "expires": waiver.expires.to_string(),
            "file": waiver.place.file,
            "line": waiver.place.line,
            "message": finding.message,
        }});
        format!("{object}\n")
    };
    waived.iter().map(object).collect()
}
