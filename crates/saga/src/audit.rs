//! What was tried, step by step, for people and for `verify`; nothing decides on it.
//!
//! Each row goes from `intent` to `done` or `refused`, and to `undone`; a step whose effect stayed unknown goes from
//! `intent` to `undone`. The notes of a change are written in its unit of work.

use freehold_store::outbox::timestamp;
use freehold_store::{Queries, Row, StoreError, Work, vals};
use freehold_wire::pb::{SagaStep, SagaStepState};

use crate::definition::Definition;
use crate::progress::{Answer, Phase};

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// The step is about to be tried.
    Intent(usize),
    /// The step, or its undo, came to this.
    Settled(usize, &'static str),
    /// The step will not happen, for this reason.
    Refused(usize, String),
    /// An attempt at the step, or at its undo, failed for this reason.
    Failed(usize, String),
}

/// What to note when `answer` took a saga of `steps` steps from one phase to another.
pub(crate) fn notes(before: Phase, answer: &Answer, after: Phase, steps: usize) -> Vec<Note> {
    let mut notes = Vec::with_capacity(2);
    match (before, answer) {
        (Phase::Running(step), Answer::Done) if step < steps => notes.push(Note::Settled(step, "done")),
        (Phase::Running(step), Answer::Refused(why)) if step < steps => {
            notes.push(Note::Refused(step, why.to_string()));
        }
        (Phase::Running(step), Answer::Retry(why)) if step < steps => {
            notes.push(Note::Failed(step, why.to_string()));
        }
        (Phase::Compensating(left @ 1..), Answer::Done) => notes.push(Note::Settled(left - 1, "undone")),
        (Phase::Compensating(left @ 1..), Answer::Refused(why) | Answer::Retry(why)) => {
            notes.push(Note::Failed(left - 1, why.to_string()));
        }
        _ => {}
    }
    match after {
        Phase::Running(step) if step < steps && after != before => notes.push(Note::Intent(step)),
        _ => {}
    }
    notes
}

/// Writes a note.
pub(crate) async fn write(
    work: &mut Work,
    saga: &str,
    definition: &Definition,
    note: &Note,
) -> Result<(), StoreError> {
    const INTENT: &str = "INSERT INTO freehold_saga_step (saga, ordinal, step, state, attempts, reason, at_ms) \
        VALUES ($1, $2, $3, 'intent', 0, '', $4)";
    const SETTLED: &str =
        "UPDATE freehold_saga_step SET state = $3, at_ms = $4 WHERE saga = $1 AND ordinal = $2";
    const REFUSED: &str = "UPDATE freehold_saga_step SET state = 'refused', reason = $3, at_ms = $4 \
        WHERE saga = $1 AND ordinal = $2";
    const FAILED: &str = "UPDATE freehold_saga_step SET attempts = attempts + 1, reason = $3, at_ms = $4 \
        WHERE saga = $1 AND ordinal = $2";
    let now = work.now();
    let (sql, step, text) = match note {
        Note::Intent(step) => (INTENT, *step, definition.step_name(*step).unwrap_or_default()),
        Note::Settled(step, state) => (SETTLED, *step, *state),
        Note::Refused(step, why) => (REFUSED, *step, why.as_str()),
        Note::Failed(step, why) => (FAILED, *step, why.as_str()),
    };
    let ordinal = i64::try_from(step).unwrap_or(i64::MAX);
    work.exec(sql, vals![saga, ordinal, text, now]).await?;
    Ok(())
}

/// The audit of a saga, in the order of its steps.
pub(crate) async fn steps(queries: &mut impl Queries, saga: &str) -> Result<Vec<SagaStep>, StoreError> {
    const STEPS: &str = "SELECT saga.name, step.step, step.state, step.attempts, step.reason, step.at_ms \
        FROM freehold_saga_step AS step JOIN freehold_saga AS saga ON saga.id = step.saga \
        WHERE step.saga = $1 ORDER BY step.ordinal";
    let rows = queries.all(STEPS, vals![saga]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<SagaStep, StoreError> {
    let state = match row.get::<String>("state")?.as_str() {
        "intent" => SagaStepState::Intent,
        "done" => SagaStepState::Done,
        "refused" => SagaStepState::Refused,
        "undone" => SagaStepState::Undone,
        _ => SagaStepState::Unspecified,
    };
    Ok(SagaStep::default()
        .with_saga(row.get::<String>("name")?)
        .with_step(row.get::<String>("step")?)
        .with_state(state)
        .with_failed_attempts(row.get("attempts")?)
        .with_reason(row.get::<String>("reason")?)
        .with_at(timestamp(row.get("at_ms")?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn a_result_and_the_next_intent_are_noted_together() {
        let noted = notes(Phase::Running(0), &Answer::Done, Phase::Running(1), 2);
        assert_eq!(noted, [Note::Settled(0, "done"), Note::Intent(1)]);
        assert_eq!(notes(Phase::Running(1), &Answer::Done, Phase::Running(2), 2), [Note::Settled(1, "done")]);
    }

    #[test]
    fn an_undo_is_noted_at_its_step() {
        let why = Failure::new("GONE", "away");
        let failed = notes(Phase::Compensating(2), &Answer::Retry(why), Phase::Compensating(2), 2);
        assert_eq!(failed, [Note::Failed(1, "GONE: away".to_owned())]);
        let undone = notes(Phase::Compensating(2), &Answer::Done, Phase::Compensating(1), 2);
        assert_eq!(undone, [Note::Settled(1, "undone")]);
        assert_eq!(notes(Phase::Compensating(0), &Answer::Done, Phase::Compensated, 2), []);
    }
}
