//! What `verify` found: violations, which fail it, and what lags, which does not.

use serde::Serialize;

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The check: "money", "stock", "orders", "replacements", "rides", "entities", "replicas", "events", "sales".
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

    /// What can be told of a mesh that does not come to rest: its databases are read one after the other, so that only
    /// what was found before, word for word, is a violation. Anything else may be the work going on in between.
    pub(crate) fn that_stayed(mut self, before: Option<&Self>) -> Self {
        let before = before.map_or(&[][..], Self::all);
        for finding in &mut self.all {
            finding.lags |= !before.contains(finding);
        }
        self
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_is_a_violation_of_a_mesh_that_works() {
        let found = |problem: &str| {
            let mut findings = Findings::default();
            findings.violated("stock", "inventory stock 1", "stays".to_owned());
            findings.violated("stock", "inventory stock 2", problem.to_owned());
            findings
        };
        assert!(!found("once").that_stayed(None).is_violated());
        let stayed = found("twice").that_stayed(Some(&found("once")));
        let violated: Vec<_> = stayed.all().iter().filter(|finding| !finding.lags).collect();
        assert_eq!(violated, [&found("").all()[0]]);
    }
}
