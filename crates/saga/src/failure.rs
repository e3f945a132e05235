//! Why something did not happen: a reason that programs match on and a message for people.
//!
//! It is what a step answers, what a saga's row keeps, and what the end of a compensated saga carries.

use std::fmt;

use freehold_wire::{Reason, reason};
use tonic::Status;

/// The longest message that is kept, in characters.
const MAX_MESSAGE: usize = 500;

/// Why something did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    reason: String,
    message: String,
}

impl Failure {
    /// A failure; `reason` in UPPER_SNAKE_CASE, such as `INSUFFICIENT_STOCK`. A very long message is cut.
    #[must_use]
    pub fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
            message.truncate(end);
        }
        Self { reason: reason.into(), message }
    }

    /// The failure of a call that got no answer in time; its effect is unknown.
    pub(crate) fn no_answer(message: impl Into<String>) -> Self {
        Self::new(Reason::DeadlineExceeded.name(), message)
    }

    /// The failure of this process itself.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Reason::Internal.name(), message)
    }

    /// What programs match on.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What people read.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The reason is that of the status' `ErrorInfo`; where it carries none, the code.
impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let reason = match reason::of(&status) {
            named if named.is_empty() => format!("{:?}", status.code()),
            named => named,
        };
        Self::new(reason, status.message())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_keeps_its_reason_and_its_message() {
        let failure = Failure::from(Reason::FailedPrecondition.because("INSUFFICIENT_STOCK", "3 left"));
        assert_eq!((failure.reason(), failure.message()), ("INSUFFICIENT_STOCK", "3 left"));
        assert_eq!(Failure::from(Status::unknown("x")).reason(), "Unknown");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(Failure::new("X", "é".repeat(2000)).message().chars().count(), MAX_MESSAGE);
    }
}
