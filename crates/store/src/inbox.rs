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
    Ok(lock_all(work, subscription, &[Key { entity, key, likely: 0 }]).await?.pop().unwrap_or(0))
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
    let wanted = Key { entity, key, likely: version - 1 };
    let before = lock_all(work, subscription, &[wanted]).await?.pop().unwrap_or(0);
    if version > before {
        advance_all(work, subscription, &[Step { entity, key, before, version }]).await?;
    }
    Ok(version > before)
}

/// A key whose row is to be locked.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The entity.
    pub entity: &'a str,
    /// Its key.
    pub key: &'a str,
    /// The version that it is likely to have: there it is found at once.
    pub likely: i64,
}

/// As [`lock`], for many keys of entities, in one order for all: of two units neither waits for the other.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn lock_all(work: &mut Work, subscription: &str, keys: &[Key<'_>]) -> Result<Vec<i64>, StoreError> {
    const LOCK: &str = "SELECT place, version FROM freehold_hold_inbox($1, CAST($2 AS JSON))";
    let mut versions = vec![0; keys.len()];
    if work.engine() == Engine::Sqlite || keys.is_empty() {
        for (Key { entity, key, .. }, version) in keys.iter().zip(&mut versions) {
            *version = high_water(work, subscription, entity, key).await?;
        }
        return Ok(versions);
    }
    let wanted = list(keys.iter().map(|wanted| json!([wanted.entity, wanted.key, wanted.likely])));
    for row in work.all(LOCK, vals![subscription, wanted]).await? {
        let place: i64 = row.get("place")?;
        if let Some(version) = usize::try_from(place - 1).ok().and_then(|place| versions.get_mut(place)) {
            *version = row.get("version")?;
        }
    }
    Ok(versions)
}

/// How far a key has come in a unit that has locked it.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The entity.
    pub entity: &'a str,
    /// Its key.
    pub key: &'a str,
    /// The version that the database has.
    pub before: i64,
    /// The version up to which its events have taken effect by now; more than that.
    pub version: i64,
}

/// Notes how far keys have come, each of which is named once and locked by this unit.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn advance_all(work: &mut Work, subscription: &str, steps: &[Step<'_>]) -> Result<(), StoreError> {
    const NOTE: &str = "INSERT INTO freehold_inbox (subscription, entity, key, version) VALUES ($1, $2, $3, $4) \
                        ON CONFLICT (subscription, entity, key) DO UPDATE SET version = excluded.version";
    const MOVE: &str = "SELECT freehold_move_inbox($1, CAST($2 AS JSON)) AS moved";
    if work.engine() == Engine::Sqlite || steps.is_empty() {
        for Step { entity, key, version, .. } in steps {
            work.exec(NOTE, vals![subscription, *entity, *key, *version]).await?;
        }
        return Ok(());
    }
    let moves = list(steps.iter().map(|step| json!([step.entity, step.key, step.before, step.version])));
    let row = work.one(MOVE, vals![subscription, moves]).await?;
    let moved: i64 = row.map_or(Ok(0), |row| row.get("moved"))?;
    // A key that was not locked has been moved by somebody else.
    if usize::try_from(moved) == Ok(steps.len()) { Ok(()) } else { Err(StoreError::RolledBack(None)) }
}

/// Rows in one value, since a statement has a fixed number of them.
fn list(rows: impl Iterator<Item = serde_json::Value>) -> String {
    serde_json::Value::Array(rows.collect()).to_string()
}
