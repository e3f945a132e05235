//! What the sagas of a database are about, for `status` and for people.

use freehold_store::{Queries, Row, StoreError, vals};

use crate::instance::Registry;
use crate::record;
use crate::state::State;

/// What the sagas of a database are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// How many sagas are in each state that has any.
    pub counts: Vec<(State, u64)>,
    /// Sagas that have not ended, the oldest first.
    pub unfinished: Vec<Standing>,
}

/// Where a saga stands that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub id: String,
    /// The name of its definition.
    pub name: String,
    /// The version of the definition that it began with.
    pub version: i64,
    /// Whether this process has that definition; without it the saga is left alone.
    pub known: bool,
    /// What it is about.
    pub state: State,
    /// The step that is done or undone; `end:done` or `end:compensated` where only that is left to record.
    pub step: String,
    /// Failed attempts at it.
    pub attempts: i64,
    /// When it is tried next, in milliseconds since 1970.
    pub next_ms: i64,
    /// What the last failed attempt said.
    pub trouble: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
}

impl Status {
    /// How many sagas are in `state`.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        self.counts.iter().find(|(counted, _)| *counted == state).map_or(0, |(_, count)| *count)
    }
}

pub(crate) async fn read(
    queries: &mut impl Queries,
    registry: &Registry,
    most: u32,
) -> Result<Status, StoreError> {
    const COUNTS: &str = "SELECT state, COUNT(*) AS sagas FROM freehold_saga GROUP BY state";
    const UNFINISHED: &str = "SELECT id, name, version, state, step, attempts, next_ms, trouble, started_ms \
        FROM freehold_saga WHERE next_ms IS NOT NULL ORDER BY started_ms, id LIMIT $1";
    let mut status = Status::default();
    for row in queries.all(COUNTS, vals![]).await? {
        let count: i64 = row.get("sagas")?;
        status.counts.push((record::state(&row)?, u64::try_from(count).unwrap_or(0)));
    }
    for row in queries.all(UNFINISHED, vals![most]).await? {
        status.unfinished.push(standing(&row, registry)?);
    }
    Ok(status)
}

fn standing(row: &Row, registry: &Registry) -> Result<Standing, StoreError> {
    let (name, version): (String, i64) = (row.get("name")?, row.get("version")?);
    Ok(Standing {
        id: row.get("id")?,
        known: registry.has(&name, version),
        name,
        version,
        state: record::state(row)?,
        step: row.get("step")?,
        attempts: row.get("attempts")?,
        next_ms: row.get("next_ms")?,
        trouble: row.get("trouble")?,
        started_ms: row.get("started_ms")?,
    })
}
