//! Why a call failed: the one error type of every generated client.
//!
//! It keeps what the callee said (code, reason, message, the fields at fault) and what the channel knows: which method
//! it was, and whether the callee can have seen the call at all. **Invariant:** an error that the channel makes itself
//! carries a reason too.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use freehold_wire::metadata::{PUSHBACK, REQUEST_ID};
use freehold_wire::{Reason, Rules, reason};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{FieldViolation, StatusExt};

use crate::explanation::Explanation;

/// Why a call failed. Cloning is cheap.
#[derive(Clone)]
pub struct Error(Arc<Failure>);

struct Failure {
    method: &'static str,
    status: Status,
    reason: String,
    violations: Vec<FieldViolation>,
    unprocessed: bool,
    explanation: Option<Explanation>,
}

impl Error {
    /// A refusal, as a mock of a service answers it.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self::of("", reason.status(message))
    }

    /// The answer of a stub that does not implement a method.
    #[must_use]
    pub fn unimplemented(rules: &Rules) -> Self {
        let message = format!("this stub does not implement {}", rules.name());
        Self::of(rules.name(), reason::unimplemented(message))
    }

    /// What `status` says of a call of `method`.
    pub(crate) fn of(method: &'static str, status: Status) -> Self {
        Self(Arc::new(Failure::of(method, status, false, None)))
    }

    /// The same, with what led to it.
    pub(crate) fn explained(
        method: &'static str,
        status: Status,
        unprocessed: bool,
        explanation: Explanation,
    ) -> Self {
        Self(Arc::new(Failure::of(method, status, unprocessed, Some(explanation))))
    }

    /// Time was up before the answer came.
    pub(crate) fn late(method: &'static str, explanation: Explanation) -> Self {
        let status = Reason::DeadlineExceeded.status("no answer came before the deadline");
        Self::explained(method, status, false, explanation)
    }

    /// Which policy decided, and what each attempt came to; `None` where there was no call, or the callee alone decided
    /// with its first answer.
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        self.0.explanation.as_ref()
    }

    /// The method that was called, "package.Service/Method"; empty where there was no call.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.0.method
    }

    /// The gRPC code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.status.code()
    }

    /// The reason in UPPER_SNAKE_CASE, for programs to match on; empty where a foreign callee gave none.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What the callee said, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.status.message()
    }

    /// The fields of the request that are wrong.
    #[must_use]
    pub fn field_violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// When to come back, where the callee said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.status.get_details_retry_info().and_then(|info| info.retry_delay)
    }

    /// Names the call in the callee's logs.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.status.metadata().get(REQUEST_ID)?.to_str().ok()
    }

    /// The request is wrong and stays wrong.
    #[must_use]
    pub fn is_invalid_argument(&self) -> bool {
        self.code() == Code::InvalidArgument
    }

    /// There is nothing under that id.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code() == Code::NotFound
    }

    /// The state of the owner forbids it.
    #[must_use]
    pub fn is_failed_precondition(&self) -> bool {
        self.code() == Code::FailedPrecondition
    }

    /// It lost against a concurrent call.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code() == Code::Aborted
    }

    /// The contract does not declare the call.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.code() == Code::PermissionDenied
    }

    /// A limit was reached: too many calls, or too large a message.
    #[must_use]
    pub fn is_resource_exhausted(&self) -> bool {
        self.code() == Code::ResourceExhausted
    }

    /// The callee cannot be reached, or it went away in mid-call.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.code() == Code::Unavailable
    }

    /// Time was up; the effect is unknown unless [`Error::is_unprocessed`].
    #[must_use]
    pub fn is_deadline_exceeded(&self) -> bool {
        self.code() == Code::DeadlineExceeded
    }

    /// The callee provably never saw the call: sending it again cannot do anything twice.
    #[must_use]
    pub fn is_unprocessed(&self) -> bool {
        self.0.unprocessed
    }

    /// Whether the same call under the same idempotency key may do better: the failure is one of time or place, not of
    /// the request.
    #[must_use]
    pub fn is_retryable_with_same_key(&self) -> bool {
        match self.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Aborted => true,
            Code::ResourceExhausted => self.retry_after().is_some(),
            _ => false,
        }
    }
}

impl Failure {
    fn of(method: &'static str, status: Status, unprocessed: bool, explanation: Option<Explanation>) -> Self {
        let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        let reason = reason::of(&status);
        Self { method, status, reason, violations, unprocessed, explanation }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { method, status, reason, explanation, .. } = &*self.0;
        if !method.is_empty() {
            write!(f, "failed to call {method}: ")?;
        }
        if reason.is_empty() {
            write!(f, "{} ({:?})", status.message(), status.code())?;
        } else {
            write!(f, "{} ({reason})", status.message())?;
        }
        explanation.as_ref().map_or(Ok(()), |explanation| write!(f, "; {explanation}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Error");
        fields.field("method", &self.0.method).field("code", &self.code()).field("reason", &self.0.reason);
        fields.field("message", &self.message()).field("source", &self.source()).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.status.source()
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::of("", status)
    }
}

/// What a service answers that failed because its own call did: code, reason, details and source stay; the callee's
/// metadata, which is about its own call, does not. Which policy decided goes along, and where the callee was the one to
/// fail, so does the word that a caller further up must not retry what was retried here.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let said = &error.0.status;
        let mut details = said.get_error_details();
        if let (Some(explanation), Some(info)) = (error.explanation(), details.error_info().cloned()) {
            let mut figures = info.metadata;
            figures.insert("decided_by".to_owned(), explanation.to_string());
            figures.insert("decision".to_owned(), explanation.decision().name().to_owned());
            details.set_error_info(info.reason, info.domain, figures);
        }
        let mut metadata = MetadataMap::new();
        if error.is_unavailable() {
            metadata.insert(PUSHBACK, MetadataValue::from_static("-1"));
        }
        let details = match error.explanation() {
            Some(_) => Self::with_error_details(said.code(), "", details).details().to_vec(),
            None => said.details().to_vec(),
        };
        let mut status =
            Self::with_details_and_metadata(said.code(), said.message(), details.into(), metadata);
        status.set_source(Arc::new(error));
        status
    }
}
