//! The gate of the mesh: what a change breaks, and whom, by the needs that are declared.
//!
//! In go the contracts at hand and the baselines that somebody may still hold to; out come findings, and for each
//! consumer the worst that happens to it. The needs of the contracts at hand count: whoever withdraws a need is no longer
//! hit. What nobody declares is no error. **Invariant:** contracts compared with themselves have no findings.

mod emitted;
mod encodings;
mod keys;
mod owners;
mod privacy;
mod promises;
mod readers;
mod removed;
mod reused;
mod routes;
mod scope;
mod shape;
mod side;
mod tightened;
mod types;
mod unblocked;

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
    check: Option<Check>,
    /// Whether an element may have several findings, told apart by what they say: two limits, request and reply.
    several: bool,
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

    rule("FH3101", "a field number that means something else now", reused::numbers),
    rule("FH3102", "a field that has another number", reused::renumbered),
    rule("FH3103", "a reserved number or name that is used", reused::reserved_used),
    rule("FH3104", "a reserved number or name that is reserved no longer", reused::reserved_dropped),
    rule("FH3105", "a value of an enum that has another number", reused::values_renumbered),
    rule("FH3106", "a value of an enum that has another name", reused::values_renamed),

    rule("FH3201", "a field of another type", types::kinds),
    rule("FH3202", "a field that holds one and held many, or the other way round", types::cardinalities),
    rule("FH3203", "a field that joins or leaves a oneof", types::oneofs),
    rule("FH3204", "a field of another name, or of another name in JSON", types::json_names),
    rule("FH3205", "a field that tells zero from absent, or no longer does", types::presence),
    rule("FH3206", "a field of another default", types::defaults),
    several("FH3207", "a method with another request or reply", types::messages_of_methods),
    several("FH3208", "a method that streams, or no longer does", types::streams),
    rule("FH3209", "an enum that drops what it does not know, or no longer does", types::closed_enums),

    rule("FH3301", "a field that callers must send from now on", tightened::required),
    several("FH3302", "a tighter limit on what callers send", tightened::limits_tightened),
    several("FH3303", "a looser limit on what consumers read", tightened::limits_loosened),
    rule("FH3304", "a new value of an enum that consumers read", tightened::values_added),
    rule("FH3305", "a new member of a oneof that consumers read", tightened::members_added),

    rule("FH3401", "a package of another owner", owners::changed),
    rule("FH3402", "a package that nobody owns any more", owners::given_up),
    rule("FH3411", "an entity with another key", keys::of_entities),
    rule("FH3412", "an event with another key", keys::of_events),

    rule("FH3501", "a shorter deadline", promises::deadline),
    rule("FH3502", "a longer least deadline", promises::min_deadline),
    rule("FH3503", "a method that is no longer keyed", promises::keyed),
    rule("FH3504", "a method of a weaker idempotency level", promises::idempotency),
    rule("FH3505", "a cache that is gone, looser or shorter", promises::cache),
    rule("FH3506", "a method that is no longer public", promises::access),
    rule("FH3507", "a step that is undone by something else, or by nothing", promises::undo),
    rule("FH3508", "a method that is shed sooner", promises::criticality),
    rule("FH3509", "a stream that is no longer resumed", promises::at_most_once),
    several("FH3510", "an HTTP route that is gone, or takes other fields", routes::routes),

    rule("FH3601", "a declared field that becomes private", privacy::private),
    rule("FH3602", "a declared field that becomes personal", privacy::personal),

    rule("FH3701", "an event that is no longer emitted", emitted::events),
    rule("FH3702", "an event of another entity", emitted::streams),
    rule("FH3703", "an entity that is no longer shared", emitted::entities),

    rule("FH3801", "a field that nobody declares any more", unblocked::fields),
    rule("FH3802", "a method that nobody declares any more", unblocked::methods),

    Rule { id: "FH3901", purpose: "a waiver that waives nothing", check: None, several: false },
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
    let mut merged = Merged::default();
    let lives = [Life::Live, Life::Released];
    let ordered = lives.iter().flat_map(|life| baselines.iter().filter(move |it| it.life == *life));
    for baseline in ordered {
        let old = Side::new(&baseline.contract, Some(&baseline.name));
        let scope = Scope::new(baseline, &old, &new);
        for rule in RULES {
            for finding in rule.check.map(|check| check(&scope)).unwrap_or_default() {
                merged.add(rule, finding.under(rule.id));
            }
        }
    }
    let mut findings = merged.findings;
    findings.sort_by(Finding::by_place);
    let compared = baselines.iter().map(|baseline| baseline.name.clone()).collect();
    Report { consumers: outcomes(&new, &findings), findings, compared }
}

/// What several baselines have in common is told once, of the first that it is worst for.
#[derive(Default)]
struct Merged {
    findings: Vec<Finding>,
    /// Where a finding is, by its rule, its element and, where that is not enough, its sentence.
    known: HashMap<(&'static str, String, String), usize>,
}

impl Merged {
    fn add(&mut self, rule: &Rule, mut finding: Finding) {
        let sentence = if rule.several { finding.message.clone() } else { String::new() };
        let key = (rule.id, finding.element.clone(), sentence);
        let at = *self.known.entry(key).or_insert(self.findings.len());
        let Some(first) = self.findings.get_mut(at) else { return self.findings.push(finding) };
        if finding.severity < first.severity {
            std::mem::swap(first, &mut finding);
        }
        for affected in finding.affected {
            match first.affected.iter_mut().find(|known| known.consumer == affected.consumer) {
                None => first.affected.push(affected),
                Some(known) if known.verdict < affected.verdict => *known = affected,
                Some(_) => {}
            }
        }
        first.affected.sort_by(|left, right| left.consumer.cmp(&right.consumer));
    }
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
    Rule { id, purpose, check: Some(check), several: false }
}

const fn several(id: &'static str, purpose: &'static str, check: Check) -> Rule {
    Rule { several: true, ..rule(id, purpose, check) }
}
