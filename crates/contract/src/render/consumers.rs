//! What becomes of each consumer, at the end of a report for people: a line per verdict.

use super::excerpt::printable;
use crate::compat::Outcome;
use crate::finding::Verdict;

/// The consumers by verdict, hardest hit first, with the contacts of those that are hit; empty where there are none.
#[must_use]
pub fn render_consumers(consumers: &[Outcome]) -> String {
    let verdicts = [Verdict::Broken, Verdict::PotentiallyAffected, Verdict::Unaffected];
    verdicts.into_iter().filter_map(|verdict| line(consumers, verdict)).collect()
}

fn line(consumers: &[Outcome], verdict: Verdict) -> Option<String> {
    let name = |outcome: &Outcome| match outcome.contact.as_str() {
        contact if verdict > Verdict::Unaffected && !contact.is_empty() => {
            format!("{} ({contact})", outcome.consumer)
        }
        _ => outcome.consumer.clone(),
    };
    let names: Vec<String> =
        consumers.iter().filter(|outcome| outcome.verdict == verdict).map(name).collect();
    let shown: String = names.join(", ").chars().map(printable).collect();
    (!names.is_empty()).then(|| format!("{}: {shown}\n", verdict.as_str()))
}
