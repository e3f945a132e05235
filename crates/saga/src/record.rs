//! A saga as it is written down: one row, read and written as a whole.
//!
//! The row holds names where the machine holds ordinals, so that people can read it and a step that a definition no
//! longer has is noticed. **Invariant:** a change is written only over the revision that it was decided on.

use std::sync::Arc;

use freehold_store::{Queries, Row, StoreError, Work, vals};
use freehold_wire::Session;
use freehold_wire::trace::Trace;

use crate::definition::Definition;
use crate::failure::Failure;
use crate::progress::{Phase, Plan, Progress};
use crate::state::State;

/// Stands in place of a step where all are done and the end is left to record. No step has such a name.
const END_DONE: &str = "end:done";
/// The same where all that was begun is undone.
const END_COMPENSATED: &str = "end:compensated";

/// A saga's row.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) revision: i64,
    pub(crate) state: State,
    pub(crate) step: String,
    pub(crate) attempts: i64,
    pub(crate) next_ms: Option<i64>,
    pub(crate) until_ms: i64,
    pub(crate) data: Vec<u8>,
    pub(crate) tokens: Option<Vec<u8>>,
    pub(crate) traceparent: String,
    pub(crate) failure: Failure,
    pub(crate) trouble: String,
}

/// Inserts the row of a saga that begins; answers whether there was none of that id.
pub(crate) async fn insert(work: &mut Work, record: &Record) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO freehold_saga (id, name, version, revision, state, step, attempts, next_ms, \
        until_ms, input, data, tokens, traceparent, reason, message, trouble, started_ms, ended_ms) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', '', '', $14, NULL) \
        ON CONFLICT (id) DO NOTHING";
    let started_ms = work.now();
    let values = vals![
        &*record.id,
        record.name.as_str(),
        record.version,
        record.revision,
        record.state.as_str(),
        record.step.as_str(),
        record.attempts,
        record.next_ms,
        record.until_ms,
        record.data.clone(),
        record.data.clone(),
        record.tokens.clone(),
        record.traceparent.as_str(),
        started_ms,
    ];
    Ok(work.exec(SQL, values).await? == 1)
}

/// Writes a change over the revision before it; answers whether that was still there.
pub(crate) async fn update(work: &mut Work, record: &Record) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE freehold_saga SET revision = $2, state = $3, step = $4, attempts = $5, next_ms = $6, \
        until_ms = $7, data = $8, tokens = $9, reason = $10, message = $11, trouble = $12, ended_ms = $13 \
        WHERE id = $1 AND revision = $2 - 1";
    let ended_ms = record.state.is_end().then(|| work.now());
    let values = vals![
        &*record.id,
        record.revision,
        record.state.as_str(),
        record.step.as_str(),
        record.attempts,
        record.next_ms,
        record.until_ms,
        record.data.clone(),
        record.tokens.clone(),
        record.failure.reason(),
        record.failure.message(),
        record.trouble.as_str(),
        ended_ms,
    ];
    Ok(work.exec(SQL, values).await? == 1)
}

/// The row of a saga.
pub(crate) async fn load(queries: &mut impl Queries, id: &str) -> Result<Option<Record>, StoreError> {
    const SQL: &str = "SELECT id, name, version, revision, state, step, attempts, next_ms, until_ms, data, tokens, \
        traceparent, reason, message, trouble FROM freehold_saga WHERE id = $1";
    queries.one(SQL, vals![id]).await?.map(|row| Record::of(&row)).transpose()
}

impl Record {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get::<String>("id")?.into(),
            name: row.get("name")?,
            version: row.get("version")?,
            revision: row.get("revision")?,
            state: state(row)?,
            step: row.get("step")?,
            attempts: row.get("attempts")?,
            next_ms: row.get("next_ms")?,
            until_ms: row.get("until_ms")?,
            data: row.get("data")?,
            tokens: row.get("tokens")?,
            traceparent: row.get("traceparent")?,
            failure: Failure::new(row.get::<String>("reason")?, row.get::<String>("message")?),
            trouble: row.get("trouble")?,
        })
    }

    /// Where the saga stands; `None` where the definition has no step of the name that the row holds.
    ///
    /// The row does not tell whether its step was tried before, so it is in doubt.
    pub(crate) fn progress(&self, definition: &Definition) -> Option<Progress> {
        let steps = definition.steps.len();
        let named = || (0..steps).find(|step| definition.step_name(*step) == Some(self.step.as_str()));
        let phase = match (self.state, self.step.as_str()) {
            (State::Done, _) => Phase::Done,
            (State::Compensated, _) => Phase::Compensated,
            (_, END_DONE) => Phase::Running(steps),
            (_, END_COMPENSATED) => Phase::Compensating(0),
            (State::Running, _) => Phase::Running(named()?),
            (State::Compensating | State::Stuck, _) => Phase::Compensating(named()? + 1),
        };
        Some(Progress {
            phase,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            next_ms: self.next_ms.unwrap_or(i64::MAX),
            until_ms: self.until_ms,
            doubt: true,
            failure: self.failure.clone(),
            trouble: self.trouble.clone(),
        })
    }

    /// Takes down where the saga stands.
    pub(crate) fn set_progress(&mut self, progress: &Progress, plan: &Plan, definition: &Definition) {
        let name = |step| definition.step_name(step);
        let (state, step) = match progress.phase {
            Phase::Done => (State::Done, ""),
            Phase::Compensated => (State::Compensated, ""),
            Phase::Running(step) => (State::Running, name(step).unwrap_or(END_DONE)),
            Phase::Compensating(left) => {
                (State::Compensating, left.checked_sub(1).and_then(name).unwrap_or(END_COMPENSATED))
            }
        };
        self.state = if progress.is_stuck(plan) { State::Stuck } else { state };
        step.clone_into(&mut self.step);
        self.attempts = i64::from(progress.attempts);
        self.next_ms = (!state.is_end()).then_some(progress.next_ms);
        self.until_ms = progress.until_ms;
        self.failure.clone_from(&progress.failure);
        self.trouble.clone_from(&progress.trouble);
    }

    /// What the saga has seen. A session that cannot be read asks for nothing, which is what it was before there was one.
    pub(crate) fn session(&self) -> Session {
        let kept = self.tokens.as_deref().map(Session::decode);
        kept.and_then(Result::ok).unwrap_or_default()
    }

    /// The trace that the saga belongs to.
    pub(crate) fn trace(&self) -> Trace {
        Trace::parse(&self.traceparent).unwrap_or_else(Trace::start)
    }
}

/// The `state` column of a row.
pub(crate) fn state(row: &Row) -> Result<State, StoreError> {
    let text: String = row.get("state")?;
    State::parse(&text).ok_or_else(|| StoreError::decode("state", format!("is `{text}`, no state of a saga")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backoff::Backoff;
    use crate::step::{Limits, Step, StepContext, StepError};
    use crate::{Saga, tests::world::Order};

    struct Nothing<const N: usize>;

    impl<const N: usize> Step for Nothing<N> {
        type State = Order;
        const NAME: &'static str = ["first", "second"][N];

        async fn act(&self, _: &StepContext, _: &mut Order) -> Result<(), StepError> {
            Ok(())
        }

        async fn undo(&self, _: &StepContext, _: &Order) -> Result<(), StepError> {
            Ok(())
        }
    }

    fn record() -> Record {
        Record {
            id: "o-1".into(),
            name: "saga".to_owned(),
            version: 1,
            revision: 1,
            state: State::Running,
            step: String::new(),
            attempts: 0,
            next_ms: None,
            until_ms: 0,
            data: Vec::new(),
            tokens: None,
            traceparent: String::new(),
            failure: Failure::default(),
            trouble: String::new(),
        }
    }

    /// E50: what is read back is where the saga stood, stuck or not, also where its failure says nothing.
    #[test]
    fn every_progress_survives_its_row() {
        let saga = Saga::new("saga", 1).step(Nothing::<0>).step(Nothing::<1>);
        let limits = Limits { timeout: Duration::ZERO, deadline: Duration::ZERO, attempts: 1 };
        let plan = Plan { steps: vec![limits; 2], backoff: Backoff::default(), stuck_after: 3 };
        let running = (0..=2).map(Phase::Running);
        let compensating = (0..=2).map(Phase::Compensating);
        for phase in running.chain(compensating).chain([Phase::Done, Phase::Compensated]) {
            for attempts in [0, 5] {
                let over = matches!(phase, Phase::Done | Phase::Compensated);
                let progress = Progress {
                    phase,
                    attempts,
                    next_ms: if over { i64::MAX } else { 7 },
                    until_ms: 9,
                    doubt: true,
                    failure: Failure::new("", ""),
                    trouble: "away".to_owned(),
                };
                let mut record = record();
                record.set_progress(&progress, &plan, saga.definition());
                assert_eq!(record.progress(saga.definition()), Some(progress), "{record:?}");
            }
        }
    }
}
