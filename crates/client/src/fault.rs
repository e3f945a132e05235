//! How an attempt failed: did the callee refuse it, did the connection break, and if it did, can the callee have seen
//! the call?
//!
//! In: what HTTP/2 says. Out: the code and reason for the caller, and what balancer and retry make of it.
//! **Invariant:** a call counts as unprocessed only where the protocol proves it.

use std::net::SocketAddr;

use freehold_wire::{Pushback, Reason, metadata, reason};
use tonic::{Code, Status};

use crate::policy::load::Verdict;
use crate::policy::retry::Failed;

/// How an attempt failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The callee answered so.
    Answer(Status),
    /// The time that is left is too short to send it.
    Unsent(Status),
    /// The call was not sent, or was given back unseen.
    Returned(h2::Error),
    /// The connection broke, whatever the callee has done by then; without an error where the answer has no end.
    Broken(Option<h2::Error>),
    /// A message of the answer is over the limit.
    TooLarge,
    /// The answer is no gRPC.
    Malformed(String),
}

impl Fault {
    /// What an error of a stream says.
    pub(crate) fn of(error: h2::Error) -> Self {
        if is_unseen(&error) { Self::Returned(error) } else { Self::Broken(Some(error)) }
    }

    /// Whether the callee provably has not seen the call.
    pub(crate) fn is_unseen(&self) -> bool {
        matches!(self, Self::Unsent(_) | Self::Returned(_))
    }

    /// Whether the whole connection takes no further call.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(self, Self::Returned(error) if !error.is_reset())
    }

    /// What it says of the replica. Codes that the caller has brought on itself are answers like any other.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Answer(status) => match status.code() {
                Code::ResourceExhausted => Verdict::Overloaded,
                Code::Unknown | Code::Internal | Code::Unavailable | Code::DataLoss => Verdict::Failed,
                // How long it took says enough.
                Code::DeadlineExceeded => Verdict::Dropped,
                _ => Verdict::Served,
            },
            Self::Unsent(_) | Self::Returned(_) => Verdict::Dropped,
            Self::Broken(_) | Self::Malformed(_) => Verdict::Failed,
            Self::TooLarge => Verdict::Served,
        }
    }

    /// What it says of another attempt.
    pub(crate) fn failed(&self) -> Failed {
        let unprocessed = self.is_unseen();
        let (code, pushback) = match self {
            Self::Answer(status) => {
                let said = status.metadata().get(metadata::PUSHBACK);
                (status.code(), said.map(|value| Pushback::parse(value.as_bytes())))
            }
            Self::Unsent(status) => (status.code(), None),
            Self::Returned(_) | Self::Broken(_) => (Code::Unavailable, None),
            Self::TooLarge => (Code::ResourceExhausted, None),
            Self::Malformed(_) => (Code::Internal, None),
        };
        Failed { code, unprocessed, pushback }
    }

    /// The same in one word of ours.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Answer(status) => reason::spelled(status.code()),
            Self::Unsent(_) => "NOT_SENT",
            Self::Returned(_) => "NOT_TAKEN",
            Self::Broken(_) => "CONNECTION_LOST",
            Self::TooLarge => "MESSAGE_TOO_LARGE",
            Self::Malformed(_) => "BAD_REPLY",
        }
    }

    /// The same in the callee's word, where it has one.
    pub(crate) fn reason(&self) -> String {
        let named = match self {
            Self::Answer(status) | Self::Unsent(status) => reason::of(status),
            _ => String::new(),
        };
        if named.is_empty() { self.outcome().to_owned() } else { named.chars().take(64).collect() }
    }

    /// What the caller is told of an attempt at `address`.
    pub(crate) fn status(self, address: Option<SocketAddr>) -> Status {
        let address = address.map_or_else(|| "the callee".to_owned(), |address| address.to_string());
        let because = |reason: Reason, narrower, message| reason.because(narrower, message);
        match self {
            Self::Answer(status) | Self::Unsent(status) => status,
            Self::Returned(error) => {
                let message = format!("{address} did not take the call");
                caused(because(Reason::Unavailable, "NOT_TAKEN", message), Some(error))
            }
            Self::Broken(None) => {
                because(Reason::Unavailable, "CONNECTION_LOST", format!("the answer of {address} has no end"))
            }
            Self::Broken(error) => {
                let message = format!("the connection to {address} broke");
                caused(because(Reason::Unavailable, "CONNECTION_LOST", message), error)
            }
            Self::TooLarge => {
                because(Reason::ResourceExhausted, "MESSAGE_TOO_LARGE", "the reply is too large".to_owned())
            }
            Self::Malformed(problem) => {
                because(Reason::Internal, "BAD_REPLY", format!("{address} sent what is no reply: {problem}"))
            }
        }
    }
}

fn caused(mut status: Status, error: Option<h2::Error>) -> Status {
    if let Some(error) = error {
        status.set_source(std::sync::Arc::new(error));
    }
    status
}

/// The stream was refused, or was above the last one that the peer's GOAWAY says it processed: h2 gives that error to no
/// other stream, also where the connection closes after it.
fn is_unseen(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let above_last = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    error.is_remote() && (refused || above_last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C18: what callers bring on themselves says nothing against the replica that tells them so. The planted bug takes every
    /// refusal for a failure.
    #[test]
    fn a_replica_answers_for_its_own_failures_alone() {
        let verdict = |code| Fault::Answer(Status::new(code, "no")).verdict();
        for own in [Code::Unknown, Code::Internal, Code::Unavailable, Code::DataLoss] {
            assert_eq!(verdict(own), Verdict::Failed, "{own:?}");
        }
        for callers in [
            Code::InvalidArgument,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::FailedPrecondition,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Unauthenticated,
        ] {
            assert_eq!(verdict(callers), Verdict::Served, "{callers:?}");
        }
        assert_eq!(verdict(Code::ResourceExhausted), Verdict::Overloaded);
        assert_eq!(verdict(Code::DeadlineExceeded), Verdict::Dropped, "how long it took says enough");
    }
}
