//! What is wrong with a contract: the rule, the sentence, the places in the sources, and what to write instead.

use crate::model::Place;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The contract is refused.
    Error,
    /// The contract stands, but probably does not say what was meant.
    Warning,
}

/// A place in the sources, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub place: Place,
    /// A few words under the underlined text; may be empty.
    pub label: String,
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
    /// The primary place first, then those that it has to do with; empty when it is about no file.
    pub places: Vec<Mark>,
    /// What to write instead, ready to be pasted; may be empty.
    pub help: String,
}

impl Finding {
    /// An error of that rule, without a place or help yet.
    pub(crate) fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            message: message.into(),
            places: Vec::new(),
            help: String::new(),
        }
    }

    /// Adds a place; the first one is the primary.
    pub(crate) fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.places.push(Mark { place, label: label.into() });
        self
    }

    /// Says what to write instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}
