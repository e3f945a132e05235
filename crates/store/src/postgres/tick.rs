//! Ticks: how rows of the outbox come to their marks, whatever the order in which their transactions commit.
//!
//! A tick records the server's snapshot; its rows are those that this snapshot sees and the one before it did not, in the
//! order in which they were inserted, and their marks follow on those of the tick before. So a transaction that stays
//! open holds up its own rows alone, and a key's versions, each inserted under the lock of its key, never come inverted.
//! Source of the method: PgQ, <https://wiki.postgresql.org/wiki/PGQ_Tutorial>. **Invariant:** a tick has its snapshot under
//! a lock, so there is one tick at a time, whichever instance makes it.

use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::errors;
use crate::engine::Lane;
use crate::error::StoreError;
use crate::vals;

/// The most rows of a tick; one with more is kept as several.
pub(crate) const MOST: i64 = 1000;

/// The function is of the migrations: one call, so that an instance that stops in the middle of it keeps nobody waiting.
/// `$1` is the time.
const TICK: &str = "SELECT mark, epochs, fresh FROM freehold_take_tick($1, NULL)";
/// The last tick of an era, whose transactions have all ended.
const LAST_TICK: &str = "SELECT mark FROM freehold_take_tick($1, '9223372036854775807:9223372036854775807:')";

/// How the database stands behind a tick.
pub(super) struct Ticked {
    /// The last mark.
    pub(super) mark: i64,
    /// The ordinal of the last epoch.
    pub(super) epochs: i64,
    /// The tick has brought something.
    pub(super) fresh: bool,
}

/// Records a tick where there is something for one.
pub(super) async fn tick(connection: &mut PgConnection, now: i64) -> Result<Ticked, StoreError> {
    let row = sqlx::query(TICK).bind(now).fetch_one(connection).await.map_err(errors::of_statement)?;
    let column = |name: &str| row.try_get(name).map_err(errors::of_statement);
    let fresh = row.try_get("fresh").map_err(errors::of_statement)?;
    Ok(Ticked { mark: column("mark")?, epochs: column("epochs")?, fresh })
}

/// Begins an era where the database knows of transactions that this server has not begun: it was restored here from
/// another one. All that came along is settled, and gets its marks first.
pub(crate) async fn begin_era(lane: &mut Lane, now: i64) -> Result<(), StoreError> {
    const IS_OVER: &str = "SELECT era, pg_snapshot_xmax(sees) > pg_snapshot_xmax(pg_current_snapshot()) OR EXISTS \
                           (SELECT 1 FROM freehold_outbox AS event WHERE event.era = tick.era \
                            AND event.xid >= pg_snapshot_xmax(pg_current_snapshot())) AS is_over \
                           FROM freehold_tick AS tick ORDER BY ordinal DESC LIMIT 1";
    const BEGIN: &str = "INSERT INTO freehold_tick \
                         (era, seen, sees, first_mark, last_mark, first_ordinal, last_ordinal, ticked_ms) \
                         SELECT era + 1, CAST('1:1:' AS PG_SNAPSHOT), CAST('1:1:' AS PG_SNAPSHOT), last_mark + 1, last_mark, last_ordinal, last_ordinal, $1 \
                         FROM freehold_tick ORDER BY ordinal DESC LIMIT 1";
    let Some(row) = lane.one(IS_OVER, vals![]).await? else { return Ok(()) };
    if !row.get::<bool>("is_over")? {
        return Ok(());
    }
    let era: i64 = row.get("era")?;
    lane.all(LAST_TICK, vals![now]).await?;
    lane.exec(BEGIN, vals![now]).await?;
    lane.script(&format!("ALTER TABLE freehold_outbox ALTER COLUMN era SET DEFAULT {}", era + 1)).await
}
