//! What is wrong with a contract: the rule, the sentence, the places in the sources, and what to write instead.

use std::cmp::Ordering;

use crate::model::Place;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The contract is refused.
    Error,
    /// The contract stands, but probably does not say what was meant; or somebody may be hit, and nobody can tell.
    Warning,
    /// Nothing is to be done about it; worth knowing all the same.
    Note,
}

impl Severity {
    /// "error", "warning" or "note".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place in the sources, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub place: Place,
    /// The name of the baseline in which the place lies; none for the contracts at hand.
    pub baseline: Option<String>,
    /// A few words under the underlined text; may be empty.
    pub label: String,
}

/// What a change does to one consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The consumer's name: "orders".
    pub consumer: String,
    /// Where its team is reached; may be empty.
    pub contact: String,
    /// How hard it is hit.
    pub verdict: Verdict,
    /// The line of its needs that takes what changed; none where it needs nothing of it by name.
    pub need: Option<Mark>,
}

/// How hard a change hits a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing that it declares changes its meaning.
    Unaffected,
    /// It depends on values that are sent, or on code that no contract knows.
    PotentiallyAffected,
    /// What it does today fails, or means something else.
    Broken,
}

impl Verdict {
    /// "unaffected", "potentially affected" or "broken".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unaffected => "unaffected",
            Self::PotentiallyAffected => "potentially affected",
            Self::Broken => "broken",
        }
    }
}

/// One thing that is wrong with a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The id of the rule: "FH2306".
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence, lowercase, without a full stop.
    pub message: String,
    /// The primary place first, then those that it has to do with.
    pub places: Vec<Mark>,
    /// What to write instead, ready to be pasted; may be empty.
    pub help: String,
    /// What it is about, by full name: "catalog.v1.Product.name", "catalog.v1.CatalogService/GetProduct", or the path
    /// of a file. Waivers name it. Empty where a rule looks at one state of the contracts only.
    pub element: String,
    /// Whom it hits, by name; only for a change.
    pub affected: Vec<Affected>,
}

impl Finding {
    /// The place to show where there is room for one: in the contracts at hand, where it has to do with any of theirs.
    #[must_use]
    pub fn primary(&self) -> Option<&Mark> {
        self.places.iter().find(|mark| mark.baseline.is_none()).or(self.places.first())
    }

    /// An error, without a rule, a place or help yet.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            rule: "",
            severity: Severity::Error,
            message,
            places: Vec::new(),
            help: String::new(),
            element: String::new(),
            affected: Vec::new(),
        }
    }

    /// A warning, without a rule, a place or help yet.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Says which rule found it.
    pub(crate) fn under(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }

    /// Adds a place; the first one is the primary.
    pub(crate) fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.places.push(Mark { place, baseline: None, label: label.into() });
        self
    }

    /// Adds a place that may lie in a baseline; the first one is the primary.
    pub(crate) fn mark(mut self, mark: Mark) -> Self {
        self.places.push(mark);
        self
    }

    /// Says what it is about, and whom it hits: an error where somebody breaks, a warning where somebody may, otherwise
    /// a note.
    pub(crate) fn hits(mut self, element: impl Into<String>, affected: Vec<Affected>) -> Self {
        self.severity = match affected.iter().map(|affected| affected.verdict).max() {
            Some(Verdict::Broken) => Severity::Error,
            Some(Verdict::PotentiallyAffected) => Severity::Warning,
            Some(Verdict::Unaffected) | None => Severity::Note,
        };
        self.element = element.into();
        self.affected = affected;
        self
    }

    /// Makes it matter at least so much.
    pub(crate) fn at_least(mut self, severity: Severity) -> Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// Says what to write instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The order of a report: by file, from the top, and by rule at one place.
    pub(crate) fn by_place(left: &Self, right: &Self) -> Ordering {
        fn key(finding: &Finding) -> (Option<&Place>, &str, &str) {
            (finding.places.first().map(|mark| &mark.place), finding.rule, &finding.message)
        }
        key(left).cmp(&key(right))
    }
}
