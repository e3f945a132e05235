//! The inbox: per subscription and key, the version of the last event that took effect here.
//!
//! It is advanced in the unit of work of that effect. **Invariant:** a row never goes back and never expires, so an
//! event that is redriven after any time takes effect once.

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
