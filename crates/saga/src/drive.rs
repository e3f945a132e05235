//! One saga, driven until it ends, has to wait, or the executor stops.
//!
//! The intent of a step is in the database before its call; its result and the intent of what follows are written in
//! one unit of work after it. So a saga of n steps costs n + 1 units, the caller's own included, and whatever is in the
//! database is a point from which it goes on.
//! **Invariant:** no call is made that the row does not say.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Store, StoreError, Work};
use freehold_wire::Context;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::audit::{self, Note};
use crate::begin::FIRST;
use crate::definition::EndError;
use crate::endings::Endings;
use crate::failure::Failure;
use crate::faults::{Boundary, Faults, Killed};
use crate::handle::Ended;
use crate::instance::{Instance, Registry};
use crate::progress::{Action, Answer, End, Progress};
use crate::record;
use crate::state::State;
use crate::step::{StepContext, StepError, Way};

/// How long a unit of work of the executor may take.
pub(crate) const UNIT_BUDGET: Duration = Duration::from_secs(10);

/// What all drivers of an executor share.
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) endings: Endings,
    pub(crate) faults: Faults,
    pub(crate) stopping: CancellationToken,
}

/// Why a driver let go of its saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It has ended, or nobody here knows its definition.
    Over,
    /// Its timer is set to then.
    Until(i64),
    /// The executor stops.
    Stopping,
}

/// Why a driver could not go on; the row says from where to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriveError {
    #[error("the saga's row could not be read or written")]
    Store(#[from] StoreError),
    #[error("another executor drives the saga")]
    Overtaken,
    #[error("its definition has no step {0}")]
    NoStep(usize),
    #[error("the end was not recorded")]
    End(#[source] EndError),
    #[error("the process dies here")]
    Killed,
}

/// A change of a saga that is not written yet.
#[derive(Clone)]
struct Change {
    progress: Progress,
    data: Option<Vec<u8>>,
    notes: Vec<Note>,
}

/// What came of a call, with the state as the step left it.
struct Attempt {
    answer: Answer,
    data: Option<Vec<u8>>,
}

impl Engine {
    /// Drives the saga `id` as far as it goes now.
    pub(crate) async fn drive(&self, id: &str) -> Result<Pause, DriveError> {
        self.faults.pass(Boundary::Fired)?;
        let Some(mut saga) = self.load(id).await? else { return Ok(Pause::Over) };
        loop {
            let attempt = match saga.progress.next(&saga.known.plan, self.store.now()) {
                Action::Rest => return self.tell(&saga),
                _ if self.stopping.is_cancelled() => return Ok(Pause::Stopping),
                Action::Wait { until_ms } => return Ok(Pause::Until(until_ms)),
                Action::Finish(end) => {
                    let nothing = Change::none(&saga.progress);
                    self.finish(&mut saga, nothing, end).await?;
                    continue;
                }
                Action::Expire { step } => saga.expired(step),
                Action::Act { step, budget_ms } => self.call(&saga, Way::Act, step, budget_ms).await?,
                Action::Undo { step, budget_ms } => self.call(&saga, Way::Undo, step, budget_ms).await?,
            };
            self.record(&mut saga, attempt).await?;
        }
    }

    async fn load(&self, id: &str) -> Result<Option<Instance>, StoreError> {
        let record = record::load(&mut self.store.read().await?, id).await?;
        let Some(mut saga) = record.and_then(|record| self.registry.instance(record)) else {
            return Ok(None);
        };
        saga.progress.doubt = !(saga.known.definition.unsent.take(id) && saga.record.revision == FIRST);
        // A token cannot be written by the commit that it names; what covers the read does.
        saga.session.saw(self.store.seen().await?);
        Ok(Some(saga))
    }

    async fn call(
        &self,
        saga: &Instance,
        way: Way,
        step: usize,
        budget_ms: i64,
    ) -> Result<Attempt, DriveError> {
        let Some(any) = saga.known.definition.steps.get(step) else { return Err(DriveError::NoStep(step)) };
        self.faults.pass(Boundary::BeforeCall)?;
        let budget = Duration::from_millis(u64::try_from(budget_ms).unwrap_or(0));
        let (id, name) = (&saga.record.id, any.name());
        let context = StepContext::new(self.context(saga, budget), id, name, way, saga.progress.attempts);
        let span = tracing::info_span!("saga.step", saga = %id, step = name, ?way);
        let answer = answered(budget, any.call(way, &context, &saga.record.data)).instrument(span).await;
        self.faults.pass(Boundary::AfterCall)?;
        Ok(match answer {
            Ok(data) => Attempt { answer: Answer::Done, data },
            Err(error) => Attempt { answer: error.into(), data: None },
        })
    }

    /// Writes what came of an attempt, and the intent of what follows.
    async fn record(&self, saga: &mut Instance, attempt: Attempt) -> Result<(), DriveError> {
        let (plan, now) = (&saga.known.plan, self.store.now());
        let mut progress = saga.progress.clone();
        progress.take(attempt.answer.clone(), plan, now, fastrand::f64());
        let notes = audit::notes(saga.progress.phase, &attempt.answer, progress.phase, plan.steps.len());
        let next = progress.next(plan, now);
        let change = Change { progress, data: attempt.data, notes };
        match next {
            Action::Finish(end) => self.finish(saga, change, end).await,
            _ => self.write(saga, &change, None).await,
        }
    }

    /// Writes a change together with the end that follows it; the change alone where the end cannot be recorded.
    async fn finish(&self, saga: &mut Instance, mut change: Change, end: End) -> Result<(), DriveError> {
        let known = Arc::clone(&saga.known);
        let (now, chance) = (self.store.now(), fastrand::f64());
        let mut ended = change.clone();
        ended.progress.take(Answer::Done, &known.plan, now, chance);
        let error = match self.write(saga, &ended, Some(end)).await {
            Err(DriveError::End(error)) => error,
            // What the hook made of it shows only at the commit: a panic, or a statement that failed unnoticed.
            Err(DriveError::Store(error)) if !error.is_transient() => EndError::Store(error),
            written => return written,
        };
        change.progress.take(error.into(), &known.plan, now, chance);
        self.write(saga, &change, None).await
    }

    async fn write(&self, saga: &mut Instance, change: &Change, end: Option<End>) -> Result<(), DriveError> {
        let known = Arc::clone(&saga.known);
        let mut record = saga.record.clone();
        record.revision += 1;
        record.set_progress(&change.progress, &known.plan, &known.definition);
        record.tokens = saga.session.encode();
        if let Some(data) = &change.data {
            record.data.clone_from(data);
        }
        let (notes, faults) = (change.notes.clone(), self.faults.clone());
        let context = self.context(saga, UNIT_BUDGET);
        let unit = async move |work: &mut Work| {
            if !record::update(work, &record).await? {
                return Err(DriveError::Overtaken);
            }
            for note in &notes {
                audit::write(work, &record.id, &known.definition, note).await?;
            }
            if let Some(end) = end {
                let definition = &known.definition;
                let writing = definition.write_end(work, end, &record.data, &record.failure);
                writing.await.map_err(DriveError::End)?;
            }
            faults.pass(Boundary::BeforeCommit)?;
            Ok(record)
        };
        let (record, token) = self.store.unit(&context, unit).await?;
        if record.state == State::Stuck && saga.record.state != State::Stuck {
            tracing::warn!(saga = %record.id, step = record.step, trouble = record.trouble, "a saga is stuck");
        }
        saga.record = record;
        saga.progress = change.progress.clone();
        saga.session.saw(token);
        self.faults.pass(Boundary::AfterCommit)?;
        Ok(())
    }

    fn tell(&self, saga: &Instance) -> Result<Pause, DriveError> {
        self.faults.pass(Boundary::BeforeTelling)?;
        if let Some(ended) = Ended::of(&saga.record, &saga.session) {
            self.endings.announce(&saga.record.id, ended);
        }
        Ok(Pause::Over)
    }

    fn context(&self, saga: &Instance, budget: Duration) -> Context {
        let context = Context::new(self.store.service(), budget);
        context.with_trace(saga.trace.child()).with_session(saga.session.clone())
    }
}

impl Change {
    /// The change by which only an end is recorded.
    fn none(progress: &Progress) -> Self {
        Self { progress: progress.clone(), data: None, notes: Vec::new() }
    }
}

impl Instance {
    /// The answer of a step whose time is up.
    fn expired(&self, step: usize) -> Attempt {
        let name = self.known.definition.step_name(step).unwrap_or_default();
        let message = match self.progress.trouble.as_str() {
            "" => format!("the time of step `{name}` is up"),
            trouble => format!("the time of step `{name}` is up; its last attempt: {trouble}"),
        };
        Attempt { answer: Answer::Retry(Failure::no_answer(message)), data: None }
    }
}

/// What a call answers within its budget. Silence and a panic are answers too: the effect is unknown.
async fn answered<T>(
    budget: Duration,
    call: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    // A panicked step leaves nothing behind: its state is dropped with it.
    let caught = AssertUnwindSafe(call).catch_unwind();
    match tokio::time::timeout(budget, caught).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(StepError::Retry(Failure::internal("the step panicked"))),
        Err(_elapsed) => Err(StepError::Retry(Failure::no_answer(format!("no answer within {budget:?}")))),
    }
}

impl From<StepError> for Answer {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Refused(why) => Self::Refused(why),
            StepError::Retry(why) => Self::Retry(why),
        }
    }
}

impl From<EndError> for Answer {
    fn from(error: EndError) -> Self {
        match error {
            EndError::Refused(why) => Self::Refused(why),
            EndError::Store(error) => Self::Retry(Failure::internal(error.to_string())),
        }
    }
}

impl From<Killed> for DriveError {
    fn from(_: Killed) -> Self {
        Self::Killed
    }
}

#[cfg(test)]
mod tests;
