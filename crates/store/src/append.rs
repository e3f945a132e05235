//! An event on its way into the outbox, with the row of its key, which has its version.
//!
//! Two statements on SQLite, and one on PostgreSQL, where each is a round trip. **Invariant:** a version is given out under
//! the lock of its key's row, and only then does the event get its place in the outbox.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::queries::Queries;
use crate::vals;
use crate::work::{Origin, Work};

/// An event that is about to be appended.
pub(crate) struct Entry<'a> {
    pub(crate) entity: &'static str,
    pub(crate) key: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) deleted: bool,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) step: Step,
}

/// What an event does to the row of its key.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// It counts, as the version behind the last: an event that is no change.
    Count,
    /// It saves what it carries, as this version: a change.
    Save(i64),
}

macro_rules! append {
    ($version:literal, $from:literal) => {
        concat!(
            "INSERT INTO freehold_outbox \
             (entity, key, id, type, deleted, time_ms, traceparent, cause, tokens, data, version) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ",
            $version,
            $from
        )
    };
}

macro_rules! at_once {
    ($step:literal) => {
        concat!(
            "WITH step AS MATERIALIZED (SELECT ",
            $step,
            " AS version) ",
            append!("step.version", " FROM step RETURNING version")
        )
    };
}

const COUNT: &str = "INSERT INTO freehold_entity (entity, key, version, deleted, data) VALUES ($1, $2, 1, FALSE, NULL) \
                     ON CONFLICT (entity, key) DO UPDATE SET version = freehold_entity.version + 1 RETURNING version";
const SAVE: &str = "INSERT INTO freehold_entity (entity, key, version, deleted, data) VALUES ($1, $2, $3, $4, $5) \
                    ON CONFLICT (entity, key) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, \
                    data = excluded.data RETURNING version";
const APPEND: &str = append!("$11", "");
const COUNT_AND_APPEND: &str = at_once!("freehold_count_key($1, $2)");
const SAVE_AND_APPEND: &str = at_once!("freehold_save_key($1, $2, $11, $5, $10)");

/// Appends an event; answers its version.
pub(crate) async fn append(work: &mut Work, entry: Entry<'_>) -> Result<i64, StoreError> {
    work.touched.note(entry.entity, entry.key);
    if work.engine() == Engine::Sqlite {
        return one_by_one(work, entry).await;
    }
    let sql = match entry.step {
        Step::Count => COUNT_AND_APPEND,
        Step::Save(_) => SAVE_AND_APPEND,
    };
    // The mark comes after the commit.
    let values = values(work, entry);
    let row = work.one(sql, values).await?;
    row.ok_or(StoreError::RolledBack(None))?.get("version")
}

async fn one_by_one(work: &mut Work, entry: Entry<'_>) -> Result<i64, StoreError> {
    let Entry { entity, key, deleted, ref data, step, .. } = entry;
    let row = match step {
        Step::Count => work.one(COUNT, vals![entity, key]).await?,
        Step::Save(version) => work.one(SAVE, vals![entity, key, version, deleted, data.as_deref()]).await?,
    };
    let version: i64 = row.ok_or(StoreError::RolledBack(None))?.get("version")?;
    let values = values(work, Entry { step: Step::Save(version), ..entry });
    work.exec(APPEND, values).await?;
    if let Some(mark) = work.last_id() {
        work.reached(mark);
    }
    Ok(version)
}

/// What the statements take that append; the version last, where it is known.
fn values(work: &mut Work, entry: Entry<'_>) -> Vec<crate::Value> {
    let Entry { entity, key, kind, deleted, data, step } = entry;
    let (id, now) = (uuid::Uuid::now_v7().to_string(), work.now());
    let Origin { traceparent, cause, tokens } = work.origin();
    let mut values = vals![entity, key, id, kind, deleted, now, traceparent, cause, tokens.as_slice(), data];
    if let Step::Save(version) = step {
        values.push(version.into());
    }
    values
}
