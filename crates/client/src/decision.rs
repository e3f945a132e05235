//! Who had the last word on a call that failed: the words of explanations, and of the metrics that count them.

use std::fmt;

use crate::policy::retry::Stop;

/// Who had the last word on a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// The callee decided; another attempt would be told the same.
    Callee,
    /// The callee forbade another attempt.
    Pushback,
    /// The contract does not say that another attempt is safe.
    Undeclared,
    /// The call is made for a retry, here or further up.
    Nested,
    /// Enough attempts were made.
    Attempts,
    /// Too many calls of this channel were retried.
    Budget,
    /// No replica had a connection for another attempt.
    NoReplica,
    /// A part of the request stream was sent.
    Sent,
    /// As many calls as may be wait for this service already.
    Bulkhead,
    /// The request is over a limit, or its metadata is wrong.
    Request,
    /// The answer is none, or over a limit.
    Reply,
    /// A stream broke that had begun.
    Stream,
    /// Before anything was sent, too little time was left.
    DeadlineSpent,
    /// Time was up before there was a connection.
    DeadlineConnecting,
    /// Time was up before the answer came.
    DeadlineAsking,
    /// Time was up between two attempts.
    DeadlinePausing,
    /// Another attempt would have begun after the deadline.
    DeadlineRetry,
    /// Time was up while another caller asked the same.
    DeadlineJoined,
    /// A stream reached its greatest age.
    DeadlineStream,
}

impl Decision {
    /// Every one of them.
    pub const ALL: [Self; 19] = [
        Self::Callee,
        Self::Pushback,
        Self::Undeclared,
        Self::Nested,
        Self::Attempts,
        Self::Budget,
        Self::NoReplica,
        Self::Sent,
        Self::Bulkhead,
        Self::Request,
        Self::Reply,
        Self::Stream,
        Self::DeadlineSpent,
        Self::DeadlineConnecting,
        Self::DeadlineAsking,
        Self::DeadlinePausing,
        Self::DeadlineRetry,
        Self::DeadlineJoined,
        Self::DeadlineStream,
    ];

    /// In one word: what the label `decision` of `freehold_client_failures_total` says.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// For people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Callee => ("callee", "the callee"),
            Self::Pushback => ("pushback", "the callee: it asks for no retry"),
            Self::Undeclared => ("undeclared", "the contract: the method is not declared idempotent"),
            Self::Nested => ("nested", "the retry policy: the call is made for a retry"),
            Self::Attempts => ("attempts", "the retry policy: enough attempts"),
            Self::Budget => ("budget", "the retry budget"),
            Self::NoReplica => {
                ("no_replica", "the retry policy: no replica had a connection for another attempt")
            }
            Self::Sent => ("sent", "the request stream: a part of it was sent"),
            Self::Bulkhead => ("bulkhead", "the bulkhead of this service"),
            Self::Request => ("request", "the check of the request"),
            Self::Reply => ("reply", "the check of the reply"),
            Self::Stream => ("stream", "the stream: what has begun is not asked for again"),
            Self::DeadlineSpent => ("deadline_spent", "the deadline, before anything was sent"),
            Self::DeadlineConnecting => {
                ("deadline_connecting", "the deadline, while waiting for a connection")
            }
            Self::DeadlineAsking => ("deadline_asking", "the deadline, while waiting for the answer"),
            Self::DeadlinePausing => ("deadline_pausing", "the deadline, while waiting for another attempt"),
            Self::DeadlineRetry => ("deadline_retry", "the deadline: no time for another attempt"),
            Self::DeadlineJoined => ("deadline_joined", "the deadline, while another caller asked the same"),
            Self::DeadlineStream => ("deadline_stream", "the deadline, which is a stream's greatest age"),
        }
    }
}

impl From<Stop> for Decision {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Answered => Self::Callee,
            Stop::Undeclared => Self::Undeclared,
            Stop::Nested => Self::Nested,
            Stop::PushedBack => Self::Pushback,
            Stop::Attempts => Self::Attempts,
            Stop::Budget => Self::Budget,
            Stop::Deadline => Self::DeadlineRetry,
            Stop::NoPlace => Self::NoReplica,
            Stop::Taken => Self::Sent,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_decisions_share_a_word_or_a_number() {
        let names: BTreeSet<&str> = Decision::ALL.iter().map(|decision| decision.name()).collect();
        let sentences: BTreeSet<&str> = Decision::ALL.iter().map(|decision| decision.sentence()).collect();
        assert_eq!((names.len(), sentences.len()), (Decision::ALL.len(), Decision::ALL.len()));
        assert!(Decision::ALL.iter().enumerate().all(|(number, decision)| *decision as usize == number));
    }

    /// Planted bug: a word that nobody can look up.
    #[test]
    fn the_page_explains_every_word() {
        let page = include_str!("../../../docs/observing.md");
        for decision in Decision::ALL {
            let row = format!("| `{}` | {decision} |", decision.name());
            assert!(page.lines().any(|line| line == row), "{row}");
        }
    }
}
