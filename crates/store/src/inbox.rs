//! The inbox: per subscription and key, the version of the last event that took effect here.
//!
//! It is advanced in the unit of work of that effect. **Invariant:** a row never goes back and never expires, so an
//! event that is redriven after any time takes effect once.

use serde_json::json;

use crate::engine::Engine;
use crate::error::StoreError;
use crate::queries::Queries;
use crate::vals;
use crate::work::Work;

/// The version up to which a key's events have taken effect; 0 where none has.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn high_water(
    queries: &mut impl Queries,
    subscription: &str,
    entity: &str,
    key: &str,
) -> Result<i64, StoreError> {
    const LOOK: &str =
        "SELECT version FROM freehold_inbox WHERE subscription = $1 AND entity = $2 AND key = $3";
    let row = queries.one(LOOK, vals![subscription, entity, key]).await?;
    row.map_or(Ok(0), |row| row.get("version"))
}

/// As [`high_water`], and no other unit may advance the key until this one ends.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn lock(work: &mut Work, subscription: &str, entity: &str, key: &str) -> Result<i64, StoreError> {
    const RESERVE: &str = "INSERT INTO freehold_inbox (subscription, entity, key, version) \
                           VALUES ($1, $2, $3, 0) ON CONFLICT (subscription, entity, key) DO NOTHING";
    const LOCK: &str = "SELECT version FROM freehold_inbox \
                        WHERE subscription = $1 AND entity = $2 AND key = $3 FOR UPDATE";
    if work.engine() == Engine::Sqlite {
        return high_water(work, subscription, entity, key).await;
    }
    let mut row = work.one(LOCK, vals![subscription, entity, key]).await?;
    if row.is_none() {
        // A row that is not there cannot be locked.
        work.exec(RESERVE, vals![subscription, entity, key]).await?;
        row = work.one(LOCK, vals![subscription, entity, key]).await?;
    }
    row.map_or(Ok(0), |row| row.get("version"))
}

/// Notes that a key's events up to `version` have taken effect; answers whether that is news. A handler whose event is
/// none must have no effect.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn advance(
    work: &mut Work,
    subscription: &str,
    entity: &str,
    key: &str,
    version: i64,
) -> Result<bool, StoreError> {
    const ADVANCE: &str = "INSERT INTO freehold_inbox (subscription, entity, key, version) \
                           VALUES ($1, $2, $3, $4) ON CONFLICT (subscription, entity, key) \
                           DO UPDATE SET version = excluded.version \
                           WHERE excluded.version > freehold_inbox.version";
    let changed = work.exec(ADVANCE, vals![subscription, entity, key, version]).await?;
    Ok(changed == 1)
}

/// As [`lock`], for many keys of entities, in their order.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn lock_all(
    work: &mut Work,
    subscription: &str,
    keys: &[(&str, &str)],
) -> Result<Vec<i64>, StoreError> {
    const RESERVE: &str = "INSERT INTO freehold_inbox (subscription, entity, key, version) \
                           SELECT $1, wanted ->> 0, wanted ->> 1, 0 FROM json_array_elements(CAST($2 AS JSON)) AS wanted \
                           ORDER BY 2, 3 ON CONFLICT (subscription, entity, key) DO NOTHING";
    let mut versions = vec![0; keys.len()];
    if work.engine() == Engine::Sqlite || keys.is_empty() {
        for ((entity, key), version) in keys.iter().zip(&mut versions) {
            *version = high_water(work, subscription, entity, key).await?;
        }
        return Ok(versions);
    }
    let wanted = list(keys.iter().map(|(entity, key)| json!([entity, key])));
    if lock_those_there(work, subscription, &wanted, &mut versions).await? < keys.len() {
        // A row that is not there cannot be locked.
        work.exec(RESERVE, vals![subscription, &wanted]).await?;
        lock_those_there(work, subscription, &wanted, &mut versions).await?;
    }
    Ok(versions)
}

/// As [`advance`], for many keys, each of which is named once; without an answer.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn advance_all(
    work: &mut Work,
    subscription: &str,
    reached: &[(&str, &str, i64)],
) -> Result<(), StoreError> {
    const ADVANCE: &str = "INSERT INTO freehold_inbox (subscription, entity, key, version) \
                           SELECT $1, reached ->> 0, reached ->> 1, CAST(reached ->> 2 AS BIGINT) \
                           FROM json_array_elements(CAST($2 AS JSON)) AS reached \
                           ON CONFLICT (subscription, entity, key) DO UPDATE SET version = excluded.version \
                           WHERE excluded.version > freehold_inbox.version";
    if work.engine() == Engine::Postgres && !reached.is_empty() {
        let reached = list(reached.iter().map(|(entity, key, version)| json!([entity, key, version])));
        return work.exec(ADVANCE, vals![subscription, reached]).await.map(drop);
    }
    for (entity, key, version) in reached {
        advance(work, subscription, entity, key, *version).await?;
    }
    Ok(())
}

/// Locks the rows that there are, in the order of their keys, so that of two units neither waits for the other; answers
/// how many there are.
async fn lock_those_there(
    work: &mut Work,
    subscription: &str,
    wanted: &str,
    versions: &mut [i64],
) -> Result<usize, StoreError> {
    const LOCK: &str = "SELECT wanted.place, held.version \
                        FROM json_array_elements(CAST($2 AS JSON)) WITH ORDINALITY AS wanted (pair, place) \
                        JOIN freehold_inbox AS held ON held.subscription = $1 \
                        AND held.entity = wanted.pair ->> 0 AND held.key = wanted.pair ->> 1 \
                        ORDER BY held.entity, held.key FOR UPDATE OF held";
    let rows = work.all(LOCK, vals![subscription, wanted]).await?;
    for row in &rows {
        let place: i64 = row.get("place")?;
        if let Some(version) = usize::try_from(place - 1).ok().and_then(|place| versions.get_mut(place)) {
            *version = row.get("version")?;
        }
    }
    Ok(rows.len())
}

/// Rows in one value, since a statement has a fixed number of them.
fn list(rows: impl Iterator<Item = serde_json::Value>) -> String {
    serde_json::Value::Array(rows.collect()).to_string()
}
