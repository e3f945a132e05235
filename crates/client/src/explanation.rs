//! Why a call failed the way it did: which policy had the last word, and what each attempt came to.
//!
//! It travels with the error: in its text and in the figures of its `ErrorInfo`. **Invariant:** at most a few hundred
//! bytes per attempt and eight attempts, so that it stays within 4 KiB whatever peers say.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::decision::Decision;

/// So many attempts are told; of more, only how many they were.
const MOST_TOLD: usize = 8;

/// Why a call failed the way it did.
#[derive(Debug, Clone)]
pub struct Explanation {
    decision: Decision,
    attempts: Vec<Attempt>,
    untold: usize,
}

/// What became of one attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    replica: SocketAddr,
    began: Duration,
    took: Duration,
    reason: String,
}

/// What happens to a call, as it happens.
#[derive(Debug)]
pub(crate) struct Story {
    began: Instant,
    stage: Stage,
    attempts: Vec<Attempt>,
    untold: usize,
}

/// What a call does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// It waits for a place on a connection.
    Connecting,
    /// It waits for its answer.
    Asking(SocketAddr, Instant),
    /// It waits before it is sent again.
    Pausing,
}

impl Explanation {
    /// A call that a policy ended before there was any attempt.
    pub(crate) fn unattempted(decision: Decision) -> Self {
        Self { decision, attempts: Vec::new(), untold: 0 }
    }

    /// Which policy had the last word.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The same for people, such as "the deadline, while waiting for the answer" or "the retry budget".
    #[must_use]
    pub fn decided_by(&self) -> &'static str {
        self.decision.sentence()
    }

    /// The attempts in their order; of more than eight, the first ones.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

impl Attempt {
    /// Where it was sent.
    #[must_use]
    pub fn replica(&self) -> SocketAddr {
        self.replica
    }

    /// How long after the call began.
    #[must_use]
    pub fn began(&self) -> Duration {
        self.began
    }

    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }

    /// What it came to, in UPPER_SNAKE_CASE where the mesh made it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Story {
    pub(crate) fn begin(began: Instant) -> Self {
        Self { began, stage: Stage::Connecting, attempts: Vec::new(), untold: 0 }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// The attempt that goes on has failed.
    pub(crate) fn failed(&mut self, reason: String) {
        let Stage::Asking(replica, began) = self.stage else { return };
        if self.attempts.len() == MOST_TOLD {
            self.untold += 1;
            return;
        }
        let (took, began) = (began.elapsed(), began.saturating_duration_since(self.began));
        self.attempts.push(Attempt { replica, began, took, reason });
    }

    /// The end: time was up.
    pub(crate) fn timed_out(mut self) -> Explanation {
        let decision = match self.stage {
            Stage::Connecting => Decision::DeadlineConnecting,
            Stage::Asking(..) => Decision::DeadlineAsking,
            Stage::Pausing => Decision::DeadlinePausing,
        };
        self.failed("NO_ANSWER".to_owned());
        self.end(decision)
    }

    /// The end: a policy let no other attempt follow.
    pub(crate) fn end(self, decision: Decision) -> Explanation {
        Explanation { decision, attempts: self.attempts, untold: self.untold }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decided by {}", self.decision)?;
        for attempt in &self.attempts {
            let Attempt { replica, began, took, reason } = attempt;
            write!(
                f,
                "; {reason} at {replica} from {:.1} ms on, for {:.1} ms",
                millis(*began),
                millis(*took)
            )?;
        }
        if self.untold > 0 {
            write!(f, "; and {} more attempts", self.untold)?;
        }
        Ok(())
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_stays_within_four_kibibytes() {
        let (now, replica) =
            (Instant::now(), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().unwrap());
        let mut story = Story::begin(now);
        for _ in 0..1_000 {
            story.enter(Stage::Asking(replica, now));
            story.failed("X".repeat(64));
        }
        let explanation = story.end(Decision::Undeclared);
        assert_eq!(explanation.attempts().len(), MOST_TOLD);
        let text = explanation.to_string();
        assert!(text.len() < 2_048 && text.ends_with("and 992 more attempts"), "{text}");
    }

    #[test]
    fn an_explanation_reads_well() {
        let (now, replica) = (Instant::now(), "127.0.0.1:7401".parse().unwrap());
        let mut story = Story::begin(now);
        story.enter(Stage::Asking(replica, now));
        story.failed("CONNECTION_LOST".to_owned());
        story.enter(Stage::Connecting);
        let text = story.timed_out().to_string();
        assert!(text.starts_with(
            "decided by the deadline, while waiting for a connection; CONNECTION_LOST at 127.0.0.1:7401 from 0.0 ms on, for "
        ), "{text}");
    }
}
