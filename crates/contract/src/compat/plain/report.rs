//! What a check says, and the findings that it becomes.

use super::rules::{Check, Rule};
use crate::finding::{Finding, Mark};
use crate::model::Place;

/// The findings of a comparison.
pub(super) struct Report<'a> {
    baseline: &'a str,
    /// The id of the rule that is being held.
    pub(super) rule: &'static str,
    findings: Vec<Finding>,
}

/// One thing that is broken.
pub(super) struct Breach {
    /// What it is about, by full name or path.
    pub(super) element: String,
    /// One sentence, lowercase, without a full stop.
    pub(super) message: String,
    /// Where it stands in the tree at hand; none where its file is gone.
    pub(super) now: Option<Place>,
    /// Where it stood.
    pub(super) before: Option<Place>,
    /// What to write instead; may be empty.
    pub(super) help: String,
}

impl<'a> Report<'a> {
    pub(super) fn new(baseline: &'a str) -> Self {
        Self { baseline, rule: "", findings: Vec::new() }
    }

    pub(super) fn add(&mut self, breach: Breach) {
        let mut finding = Finding::error(breach.message).under(self.rule).help(breach.help);
        finding.element = breach.element;
        let now = breach.now.map(|place| Mark { place, baseline: None, label: String::new() });
        let baseline = Some(self.baseline.to_owned());
        let before = breach.before.map(|place| Mark { place, baseline, label: "was here".to_owned() });
        finding.places.extend(now.into_iter().chain(before));
        self.findings.push(finding);
    }

    /// Holds a pair against each of the rules.
    pub(super) fn each(&mut self, rules: &[&'static Rule], hold: impl Fn(&'static Check, &mut Self)) {
        for rule in rules {
            self.rule = rule.id;
            hold(&rule.check, self);
        }
    }

    /// By file, from the top; what has no file anymore comes where its file was.
    pub(super) fn findings(mut self) -> Vec<Finding> {
        self.findings.sort_by(Finding::by_place);
        self.findings
    }
}
