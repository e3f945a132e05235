//! The beginning of a saga, in its caller's unit of work: its row, which is the intent of its first step.
//!
//! **Invariant:** there is one saga per id, whoever begins it how often; the same id with another input is refused.

use freehold_store::{Queries, StoreError, Work, vals};

use crate::audit::{self, Note};
use crate::backoff::Backoff;
use crate::definition::{Definition, DefinitionError};
use crate::failure::Failure;
use crate::progress::{Plan, Progress};
use crate::record::{self, Record};
use crate::state::State;

/// The longest id of a saga, in bytes: with a step's name it has to fit an idempotency key.
pub const MAX_ID: usize = 64;

/// The revision of a saga's row that says no more than that it began.
pub(crate) const FIRST: i64 = 1;

/// Whether a saga began now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It begins with this unit of work.
    New,
    /// It began before, over the same input.
    Existing,
}

/// Why a saga did not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The id is empty, too long, or holds other characters.
    #[error("`{0}` is no id of a saga: it wants 1 to 64 printable ASCII characters without `/`")]
    BadId(String),
    /// The id belongs to a saga of another definition, or over another input.
    #[error("saga `{id}` exists as a `{found}` over another input")]
    Conflict {
        /// The id.
        id: String,
        /// The name of the saga that has it.
        found: String,
    },
    /// The definition cannot be run.
    #[error("the saga's definition is wrong")]
    Definition(#[from] DefinitionError),
    /// The database failed.
    #[error("the saga's row could not be written")]
    Store(#[from] StoreError),
}

/// Begins a saga of this definition over the encoded input.
pub(crate) async fn begin(
    work: &mut Work,
    definition: &Definition,
    id: &str,
    input: Vec<u8>,
) -> Result<Begun, BeginError> {
    if !is_id(id) {
        return Err(BeginError::BadId(id.chars().take(MAX_ID).collect()));
    }
    definition.check()?;
    let record = first(work, definition, id, input);
    if record::insert(work, &record).await? {
        audit::write(work, id, definition, &Note::Intent(0)).await?;
        definition.unsent.began(id);
        return Ok(Begun::New);
    }
    existing(work, &record).await
}

/// The row of a saga before its first step.
fn first(work: &Work, definition: &Definition, id: &str, input: Vec<u8>) -> Record {
    // How failures are met plays no part in a beginning; the executor that runs the saga brings its own.
    let plan = Plan { steps: definition.limits(), backoff: Backoff::default(), stuck_after: u32::MAX };
    let context = work.context();
    let mut record = Record {
        id: id.into(),
        name: definition.name.to_owned(),
        version: i64::from(definition.version),
        revision: FIRST,
        state: State::Running,
        step: String::new(),
        attempts: 0,
        next_ms: None,
        until_ms: 0,
        data: input,
        tokens: context.session().encode(),
        traceparent: context.trace().to_string(),
        failure: Failure::default(),
        trouble: String::new(),
    };
    record.set_progress(&Progress::begin(&plan, work.now()), &plan, definition);
    record
}

async fn existing(work: &mut Work, wanted: &Record) -> Result<Begun, BeginError> {
    const SQL: &str = "SELECT name, input FROM freehold_saga WHERE id = $1";
    let conflict = |found: String| BeginError::Conflict { id: wanted.id.to_string(), found };
    let Some(row) = work.one(SQL, vals![&*wanted.id]).await? else { return Err(conflict(String::new())) };
    let (name, input): (String, Vec<u8>) = (row.get("name")?, row.get("input")?);
    if name != wanted.name || input != wanted.data { Err(conflict(name)) } else { Ok(Begun::Existing) }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
}
