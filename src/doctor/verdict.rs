//! What a check came to: fine, doubtful or wrong, what was found, and what to do about it.

use serde::Serialize;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// It keeps a mesh from running, or from keeping its promises.
    Wrong,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// What was looked at.
    pub(crate) check: &'static str,
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// What to do; empty where there is nothing to do.
    pub(crate) advice: String,
}

impl Verdict {
    pub(crate) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), advice: String::new() }
    }

    pub(crate) fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Warn, found: found.into(), advice: advice.into() }
    }

    pub(crate) fn wrong(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Wrong, found: found.into(), advice: advice.into() }
    }

    /// The verdict for people: a line, and one more where there is something to do.
    pub(crate) fn lines(&self) -> String {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Wrong => "WRONG",
        };
        let mut lines = format!("{state:<5} {:<9} {}", self.check, self.found);
        if !self.advice.is_empty() {
            lines.push_str(&format!("\n      {:<9} {}", "", self.advice));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_a_line_and_its_advice_another() {
        assert_eq!(Verdict::ok("clock", "plausible").lines(), "ok    clock     plausible");
        assert_eq!(
            Verdict::wrong("data", "it cannot be written", "choose another with --data").lines(),
            "WRONG data      it cannot be written\n                choose another with --data"
        );
    }
}
