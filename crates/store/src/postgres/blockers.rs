//! Which transactions hold up their own events: open for long in this database, or prepared and left.
//!
//! Nobody waits for them. They are told because what they wrote is in no feed yet, because the server cleans up nothing
//! behind them, and because a prepared one stays until somebody ends it.

use std::time::Duration;

use sqlx::postgres::PgConnection;

use super::errors;
use crate::error::StoreError;

/// How long a transaction may be open before it is told.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// A transaction of another database or another role cannot have written here, and is nobody's blocker.
const BLOCKERS: &str = "SELECT blocker FROM (\
     SELECT 'the backend ' || pid AS blocker, xact_start AS since FROM pg_stat_activity \
     WHERE datname = current_database() AND usename = current_user AND backend_xid IS NOT NULL \
     AND xact_start < clock_timestamp() - make_interval(secs => $1) \
     UNION ALL SELECT 'the prepared transaction ' || gid, prepared FROM pg_prepared_xacts \
     WHERE database = current_database() AND prepared < clock_timestamp() - make_interval(secs => $1)) AS found \
     ORDER BY since, blocker";

/// Those that are older than that, by backend or by name, the oldest first.
pub(super) async fn blockers(
    connection: &mut PgConnection,
    older: Duration,
) -> Result<Vec<String>, StoreError> {
    let found = sqlx::query_scalar(BLOCKERS).bind(older.as_secs_f64()).fetch_all(connection).await;
    found.map_err(errors::of_statement)
}
