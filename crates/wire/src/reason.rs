//! The nine ways in which a call is refused, each one gRPC code; every error of the mesh is made here.
//!
//! Each status carries `google.rpc.ErrorInfo`: a reason that programs match on, in the domain `freehold`, and where it
//! helps `BadRequest` (which field) or `RetryInfo` (when to come back).

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// The domain of every `ErrorInfo` of the mesh.
pub const DOMAIN: &str = "freehold";

/// The reason of RESOURCE_EXHAUSTED where a server has more calls than it can answer in time: the call has not begun.
pub const OVERLOADED: &str = "OVERLOADED";

/// Why a call was refused; voluntarily few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The request is wrong and stays wrong.
    InvalidArgument,
    /// There is nothing under that id.
    NotFound,
    /// The state of the owner forbids it; a retry does not help until that changes.
    FailedPrecondition,
    /// It lost against a concurrent call; a retry may win.
    Aborted,
    /// The contract does not declare it.
    PermissionDenied,
    /// A limit was reached.
    ResourceExhausted,
    /// The callee cannot be reached or is ending; safe to retry where the method is.
    Unavailable,
    /// Time was up; the effect is unknown.
    DeadlineExceeded,
    /// A fault of the callee.
    Internal,
}

impl Reason {
    /// The gRPC code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::InvalidArgument => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::Aborted => Code::Aborted,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
            Self::Internal => Code::Internal,
        }
    }

    /// The reason as `ErrorInfo` spells it, where no narrower one is given.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::NotFound => "NOT_FOUND",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unavailable => "UNAVAILABLE",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Internal => "INTERNAL",
        }
    }

    /// A status of this reason.
    #[must_use]
    pub fn status(self, message: impl Into<String>) -> Status {
        self.because(self.name(), message)
    }

    /// A status with a narrower reason in UPPER_SNAKE_CASE, such as `INSUFFICIENT_STOCK`, for programs to match on.
    #[must_use]
    pub fn because(self, reason: &str, message: impl Into<String>) -> Status {
        Status::with_error_details(self.code(), message, info(reason))
    }

    /// The same with the figures that it rests on, in `ErrorInfo.metadata`: names in snake case, such as
    /// `available_units`.
    #[must_use]
    pub fn because_of<const N: usize>(
        self,
        reason: &str,
        message: impl Into<String>,
        figures: [(&str, String); N],
    ) -> Status {
        let figures: HashMap<String, String> =
            figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let details = ErrorDetails::with_error_info(reason, DOMAIN, figures);
        Status::with_error_details(self.code(), message, details)
    }

    /// A status that says when to come back.
    #[must_use]
    pub fn retry_after(self, reason: &str, message: impl Into<String>, delay: Duration) -> Status {
        let mut details = info(reason);
        details.set_retry_info(Some(delay));
        Status::with_error_details(self.code(), message, details)
    }
}

/// INVALID_ARGUMENT that names one field.
#[must_use]
pub fn bad_field(field: impl Into<String>, problem: impl Into<String>) -> Status {
    bad_fields(vec![FieldViolation::new(field, problem)])
}

/// INVALID_ARGUMENT that names every wrong field.
#[must_use]
pub fn bad_fields(violations: Vec<FieldViolation>) -> Status {
    let said: Vec<String> = violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect();
    let mut details = info(Reason::InvalidArgument.name());
    details.set_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, said.join("; "), details)
}

/// NOT_FOUND that names the type and the id.
#[must_use]
pub fn not_found(entity: &str, id: &str) -> Status {
    let mut details = info(Reason::NotFound.name());
    details.set_resource_info(entity, id, "", "");
    Status::with_error_details(Code::NotFound, format!("no {entity} has the id `{}`", shorten(id)), details)
}

/// UNIMPLEMENTED, gRPC's own answer to a method that is not served here.
#[must_use]
pub fn unimplemented(message: impl Into<String>) -> Status {
    Status::with_error_details(Code::Unimplemented, message, info("UNIMPLEMENTED"))
}

/// The status with more figures in its `ErrorInfo.metadata`, such as how much was done before it came to this; its text
/// says them too. One that nobody has given a reason yet, as of the transport, stays as it is.
#[must_use]
pub fn with_figures<'a>(status: Status, figures: impl IntoIterator<Item = (&'a str, String)>) -> Status {
    let mut details = status.get_error_details();
    let Some(known) = details.error_info().cloned() else { return status };
    let (mut all, mut message) = (known.metadata, status.message().to_owned());
    for (name, value) in figures {
        message.push_str(&format!("; {name}: {value}"));
        all.insert(name.to_owned(), value);
    }
    details.set_error_info(known.reason, known.domain, all);
    Status::with_error_details_and_metadata(status.code(), message, details, status.metadata().clone())
}

/// A code as gRPC spells it: `NOT_FOUND`.
#[must_use]
pub fn spelled(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The `ErrorInfo` reason of a status; empty where it carries none.
#[must_use]
pub fn of(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn info(reason: &str) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new())
}

fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_added_to_what_a_status_says_already() {
        let status =
            Reason::FailedPrecondition.because_of("TOO_FEW", "too few", [("wanted", "3".to_owned())]);
        let status = with_figures(status, [("kept", "2".to_owned())]);
        assert_eq!((status.code(), of(&status).as_str()), (Code::FailedPrecondition, "TOO_FEW"));
        assert_eq!(status.message(), "too few; kept: 2");
        let figures = status.get_details_error_info().unwrap().metadata;
        let expected =
            [("wanted", "3"), ("kept", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(figures, HashMap::from(expected));
        let foreign = with_figures(Status::unknown("broken pipe"), [("kept", "2".to_owned())]);
        assert_eq!((foreign.message(), of(&foreign).as_str()), ("broken pipe", ""));
        let named = with_figures(bad_field("id", "is wrong"), [("index", "7".to_owned())]);
        assert_eq!(named.get_details_bad_request().unwrap().field_violations[0].field, "id");
    }
}
