//! The gate of the mesh: what a change breaks, and whom, by the needs that are declared.
//!
//! In go the contracts at hand and the baselines that somebody may still hold to; out come findings, and for each
//! consumer the worst that happens to it. The needs of the contracts at hand count: whoever withdraws a need is no longer
//! hit. What nobody declares is no error. **Invariant:** contracts compared with themselves have no findings.

mod readers;
mod removed;
mod scope;
mod shape;
mod side;

use std::collections::{BTreeMap, HashMap};

use crate::finding::{Finding, Verdict};

use super::{Baseline, Contract, Life};
use scope::Scope;
use side::Side;

/// A rule of the mesh.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// "FH3007". Never used again for another rule.
    pub id: &'static str,
    /// What it reports, in half a sentence.
    pub purpose: &'static str,
    check: Check,
}

type Check = fn(&Scope<'_>) -> Vec<Finding>;

/// All rules of the mesh, by id.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("FH3001", "a package that is no longer there", removed::packages),
    rule("FH3002", "a service that is no longer there", removed::services),
    rule("FH3003", "a method that is no longer there", removed::methods),
    rule("FH3004", "an entity that is no longer there", removed::entities),
    rule("FH3005", "an event that is no longer there", removed::events),
    rule("FH3006", "a message that is no longer there", removed::messages),
    rule("FH3007", "a field that is no longer there", removed::fields),
    rule("FH3008", "an enum that is no longer there", removed::enums),
    rule("FH3009", "a value of an enum that is no longer there", removed::values),
];

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// All findings, by place.
    pub findings: Vec<Finding>,
    /// What becomes of each consumer of the contracts at hand, by name.
    pub consumers: Vec<Outcome>,
    /// The names of the baselines, as given.
    pub compared: Vec<String>,
}

/// What becomes of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The consumer's name: "orders".
    pub consumer: String,
    /// Where its team is reached; may be empty.
    pub contact: String,
    /// The worst that happens to it.
    pub verdict: Verdict,
}

/// Holds the contracts at hand against each baseline, by every rule.
#[must_use]
pub fn mesh(baselines: &[Baseline], current: &Contract) -> Report {
    let new = Side::new(current, None);
    let mut findings = Vec::new();
    let lives = [Life::Live, Life::Released];
    let ordered = lives.iter().flat_map(|life| baselines.iter().filter(move |it| it.life == *life));
    for baseline in ordered {
        let old = Side::new(&baseline.contract, Some(&baseline.name));
        let scope = Scope::new(baseline, &old, &new);
        for rule in RULES {
            findings.extend((rule.check)(&scope).into_iter().map(|finding| finding.under(rule.id)));
        }
    }
    let mut findings = merged(findings);
    findings.sort_by(Finding::by_place);
    let compared = baselines.iter().map(|baseline| baseline.name.clone()).collect();
    Report { consumers: outcomes(&new, &findings), findings, compared }
}

/// What several baselines have in common is told once, of the first that has it.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut known: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let at = *known.entry((finding.rule, finding.element.clone())).or_insert(kept.len());
        match kept.get_mut(at) {
            None => kept.push(finding),
            Some(first) => {
                first.severity = first.severity.min(finding.severity);
                for affected in finding.affected {
                    if first.affected.iter().all(|known| known.consumer != affected.consumer) {
                        first.affected.push(affected);
                    }
                }
            }
        }
    }
    kept
}

fn outcomes(new: &Side<'_>, findings: &[Finding]) -> Vec<Outcome> {
    let mut outcomes: BTreeMap<&str, Outcome> = BTreeMap::new();
    for consumer in &new.model.consumers {
        outcomes.entry(&consumer.name).or_insert_with(|| Outcome {
            consumer: consumer.name.clone(),
            contact: new.contact(consumer).to_owned(),
            verdict: Verdict::Unaffected,
        });
    }
    for affected in findings.iter().flat_map(|finding| &finding.affected) {
        if let Some(outcome) = outcomes.get_mut(affected.consumer.as_str()) {
            outcome.verdict = outcome.verdict.max(affected.verdict);
        }
    }
    outcomes.into_values().collect()
}

const fn rule(id: &'static str, purpose: &'static str, check: Check) -> Rule {
    Rule { id, purpose, check }
}
