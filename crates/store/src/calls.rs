//! Keyed calls as operators look at them: who touched a key.
//!
//! The records are those that find a reply again, see `idempotency.rs`; what was refused has none.

use crate::error::StoreError;
use crate::queries::Queries;
use crate::row::Row;
use crate::vals;

/// A keyed call that has written an entity of a key, or locked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedCall {
    /// Who called.
    pub caller: String,
    /// What: "/package.Service/Method".
    pub method: String,
    /// The entity that it touched, by full name.
    pub entity: String,
    /// When, in milliseconds since 1970.
    pub called_ms: i64,
}

/// The keyed calls that touched a key of whichever entity, the oldest first, at most `limit`. It looks through all that are
/// on record.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn that_touched(
    queries: &mut impl Queries,
    key: &str,
    limit: i64,
) -> Result<Vec<KeyedCall>, StoreError> {
    const TOUCHED: &str = "SELECT caller, method, entity, created_ms FROM freehold_touched WHERE key = $1 \
                           ORDER BY created_ms, caller, method, entity LIMIT $2";
    let rows = queries.all(TOUCHED, vals![key, limit]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<KeyedCall, StoreError> {
    Ok(KeyedCall {
        caller: row.get("caller")?,
        method: row.get("method")?,
        entity: row.get("entity")?,
        called_ms: row.get("created_ms")?,
    })
}
