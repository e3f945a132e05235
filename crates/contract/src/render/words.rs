//! What every format says of a finding in the same words: whom it hits and how hard, where, and the way out.

use std::cmp::Reverse;

use super::excerpt::printable;
use crate::finding::{Affected, Finding, Mark, Verdict};

/// The message, a line for each consumer, and the help.
pub(super) fn paragraph(finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    lines.extend(hit(finding).into_iter().map(consumer));
    if !finding.help.is_empty() {
        lines.push(format!("help: {}", finding.help));
    }
    lines.join("\n").split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

fn shown(line: &str) -> String {
    line.chars().map(printable).collect()
}

/// The consumers that it hits, hardest first.
pub(super) fn hit(finding: &Finding) -> Vec<&Affected> {
    let mut hit: Vec<&Affected> =
        finding.affected.iter().filter(|affected| affected.verdict > Verdict::Unaffected).collect();
    hit.sort_by_key(|affected| Reverse(affected.verdict));
    hit
}

/// "broken: orders (#orders), by orders/v1/needs.proto:24".
pub(super) fn consumer(affected: &Affected) -> String {
    let Affected { consumer, contact, verdict, need } = affected;
    let contact = if contact.is_empty() { String::new() } else { format!(" ({contact})") };
    let need = need.as_ref().map(|mark| format!(", by {}", spot(mark))).unwrap_or_default();
    shown(&format!("{}: {consumer}{contact}{need}", verdict.as_str()))
}

/// "orders/v1/needs.proto:24", and in which baseline.
pub(super) fn spot(mark: &Mark) -> String {
    let line = if mark.place.is_whole() { String::new() } else { format!(":{}", mark.place.line) };
    format!("{}{line}{}", mark.place.file, of_baseline(mark))
}

/// " of main" for a place in that baseline.
pub(super) fn of_baseline(mark: &Mark) -> String {
    mark.baseline.as_ref().map(|baseline| format!(" of {baseline}")).unwrap_or_default()
}

/// A path as it is below the folder that the command was started in: imports begin below `root`, other files do not.
pub(super) fn path(root: &str, file: &str) -> String {
    if root.is_empty() || root == "." || !file.ends_with(".proto") {
        return file.to_owned();
    }
    format!("{}/{file}", root.trim_end_matches('/'))
}
