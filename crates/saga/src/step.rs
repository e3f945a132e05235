//! A step of a saga: a call to one owner, beside what undoes it; and what an attempt is given.
//!
//! A step runs outside any unit of work, so it may call other services. It may run more than once, and its undo may
//! come before it: both send [`StepContext::key`] with the call, and name what they make after [`StepContext::id`] or
//! another id that the saga's state fixes, so that the owner can tell a repetition, and an effect that comes too late.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use freehold_wire::Context;
use tonic::{Code, Status};

use crate::failure::Failure;

/// A call to one owner, beside what undoes it.
pub trait Step: Send + Sync + 'static {
    /// What the saga carries from step to step.
    type State;

    /// Names the step for ever: at most 48 of the characters a-z 0-9 _, unique in its saga.
    const NAME: &'static str;

    /// Does it. What it changes in `state` is written down with its success, and dropped with its failure.
    ///
    /// # Errors
    /// [`StepError::Refused`] where it will not happen, which compensates the saga; [`StepError::Retry`] where it may
    /// or may not have happened, which tries it again within its [`Limits`].
    fn act(
        &self,
        step: &StepContext,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Undoes it, whether or not it happened: where it did not, leaves a mark at the owner that refuses it when it
    /// comes late. Not called where it certainly did not happen and cannot come late. `state` is as the last successful step left it.
    ///
    /// # Errors
    /// Whatever it answers, it is tried again until it succeeds.
    fn undo(
        &self,
        step: &StepContext,
        state: &Self::State,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// How long and how often it is tried.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// How long and how often a step is tried before the saga gives it up and compensates. An undo knows no limit but
/// `timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long all attempts together may take, also over restarts.
    pub deadline: Duration,
    /// How many attempts there are.
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(2), deadline: Duration::from_secs(30), attempts: 20 }
    }
}

/// Why a step did not succeed. Any error that is a gRPC status, or becomes one, converts with `?`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// It did not happen and will not; the saga compensates. It is believed: a step whose only attempt was refused is
    /// not undone.
    #[error("the step was refused: {0}")]
    Refused(Failure),
    /// It may or may not have happened; trying again may help.
    #[error("the step is to be tried again: {0}")]
    Retry(Failure),
}

impl StepError {
    /// It did not happen and will not; `reason` in UPPER_SNAKE_CASE.
    #[must_use]
    pub fn refused(reason: &str, message: impl Into<String>) -> Self {
        Self::Refused(Failure::new(reason, message))
    }

    /// It may or may not have happened; `reason` in UPPER_SNAKE_CASE.
    #[must_use]
    pub fn retry(reason: &str, message: impl Into<String>) -> Self {
        Self::Retry(Failure::new(reason, message))
    }
}

/// A refusal is an answer by which the owner says that it did nothing and why that will stay so; all other codes leave
/// the effect open.
impl<E: Into<Status>> From<E> for StepError {
    fn from(error: E) -> Self {
        let status = error.into();
        match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented => Self::Refused(status.into()),
            _ => Self::Retry(status.into()),
        }
    }
}

/// Whether a step is done or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Act,
    Undo,
}

/// What an attempt at a step, or at its undo, is given.
#[derive(Debug, Clone)]
pub struct StepContext {
    context: Context,
    saga: Arc<str>,
    id: Arc<str>,
    attempt: u32,
}

impl StepContext {
    pub(crate) fn new(context: Context, saga: &Arc<str>, step: &str, way: Way, attempt: u32) -> Self {
        let id: Arc<str> = format!("{saga}/{step}").into();
        let key = match way {
            Way::Act => Arc::clone(&id),
            Way::Undo => format!("{id}/undo").into(),
        };
        Self { context: context.with_key(key), saga: Arc::clone(saga), id, attempt }
    }

    /// The context that the attempt's calls run in: its deadline, what the saga has seen so far, its trace.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The saga's id.
    #[must_use]
    pub fn saga(&self) -> &str {
        &self.saga
    }

    /// "saga/step": names the step's effect, the same in every attempt and in its undo.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The idempotency key of the attempt's call: "saga/step", and "saga/step/undo" for the undo. A step that makes
    /// several calls adds a suffix of its own for each.
    #[must_use]
    pub fn key(&self) -> &str {
        self.context.key().unwrap_or(&self.id)
    }

    /// How many attempts failed before this one.
    #[must_use]
    pub fn failed_attempts(&self) -> u32 {
        self.attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use freehold_wire::Reason;

    #[test]
    fn an_answer_that_leaves_the_effect_open_is_tried_again() {
        let refused = |reason: Reason| matches!(StepError::from(reason.status("x")), StepError::Refused(_));
        assert!(refused(Reason::FailedPrecondition) && refused(Reason::NotFound));
        assert!(!refused(Reason::Unavailable) && !refused(Reason::DeadlineExceeded));
        assert!(
            !refused(Reason::Internal) && !refused(Reason::Aborted) && !refused(Reason::ResourceExhausted)
        );
    }

    #[test]
    fn a_step_and_its_undo_share_an_id_and_not_a_key() {
        let context = Context::new("orders", Duration::from_secs(1));
        let step = |way| StepContext::new(context.clone(), &"o-1".into(), "reserve", way, 0);
        let (act, undo) = (step(Way::Act), step(Way::Undo));
        assert_eq!((act.id(), act.key()), ("o-1/reserve", "o-1/reserve"));
        assert_eq!((undo.id(), undo.key()), ("o-1/reserve", "o-1/reserve/undo"));
    }
}
