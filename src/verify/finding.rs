//! What `verify` found: violations, which fail it, and what lags, which does not.

use serde::Serialize;

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The check: "money", "stock", "orders", "entities", "replicas", "events".
    pub(crate) check: &'static str,
    /// What it is about: "payments account ALFKI".
    pub(crate) subject: String,
    /// What is wrong with it, with both sides of a difference.
    pub(crate) problem: String,
    /// Whether it is only late: a copy that has not caught up, an order that is still being worked on.
    pub(crate) lags: bool,
}

/// Collects findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    all: Vec<Finding>,
    compared: u64,
}

impl Findings {
    /// Compares two sides that must be equal.
    pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        check: &'static str,
        subject: impl Into<String>,
        what: &str,
        is: T,
        must_be: T,
    ) {
        self.compared += 1;
        if is != must_be {
            self.violated(check, subject, format!("{what} is {is:?}, must be {must_be:?}"));
        }
    }

    /// Notes that something was compared and found right.
    pub(crate) fn compared(&mut self) {
        self.compared += 1;
    }

    /// Adds a violation.
    pub(crate) fn violated(&mut self, check: &'static str, subject: impl Into<String>, problem: String) {
        self.all.push(Finding { check, subject: subject.into(), problem, lags: false });
    }

    /// Adds something that is late.
    pub(crate) fn lags(&mut self, check: &'static str, subject: impl Into<String>, problem: String) {
        self.all.push(Finding { check, subject: subject.into(), problem, lags: true });
    }

    /// All findings, in the order in which they were found.
    pub(crate) fn all(&self) -> &[Finding] {
        &self.all
    }

    /// How many comparisons were made.
    pub(crate) fn comparisons(&self) -> u64 {
        self.compared
    }

    /// Whether nothing is violated and nothing lags.
    pub(crate) fn is_quiet(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether something is violated.
    pub(crate) fn is_violated(&self) -> bool {
        self.all.iter().any(|finding| !finding.lags)
    }
}
