//! Ticks: how rows of the outbox come to their marks, whatever the order in which their transactions commit.
//!
//! A tick records the server's snapshot; its rows are those that this snapshot sees and the one before it did not, in the
//! order in which they were inserted, and their marks follow on those of the tick before. So a transaction that stays
//! open holds up its own rows alone, and a key's versions, each inserted under the lock of its key, never come inverted.
//! Source of the method: PgQ, <https://wiki.postgresql.org/wiki/PGQ_Tutorial>. **Invariant:** only the connection that
//! has the owner's lock ticks, so there is one tick at a time.

use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::errors;
use crate::engine::Lane;
use crate::error::StoreError;
use crate::vals;

/// The most rows of a tick; one with more is kept as several.
pub(crate) const MOST: i64 = 1000;

/// One statement, so one snapshot: the rows that are counted are the rows that it sees. `$1` is the time.
macro_rules! tick {
    ($sees:literal) => {
        concat!(
            "WITH last AS MATERIALIZED \
             (SELECT era, sees, last_mark FROM freehold_tick ORDER BY ordinal DESC LIMIT 1), \
             fresh AS MATERIALIZED \
             (SELECT ordinal, row_number() OVER (ORDER BY ordinal) - 1 AS place FROM \
              (SELECT later.ordinal FROM last JOIN freehold_outbox AS later \
               ON later.era = last.era AND later.xid >= pg_snapshot_xmax(last.sees) \
               UNION ALL SELECT late.ordinal FROM last JOIN freehold_outbox AS late \
               ON late.era = last.era AND late.xid = ANY (ARRAY(SELECT pg_snapshot_xip(last.sees)))) AS unseen) \
             INSERT INTO freehold_tick \
             (era, seen, sees, first_mark, last_mark, first_ordinal, last_ordinal, ticked_ms) \
             SELECT (SELECT era FROM last), (SELECT sees FROM last), ",
            $sees,
            ", (SELECT last_mark FROM last) + 1 + min(place), (SELECT last_mark FROM last) + 1 + max(place), \
             min(ordinal), max(ordinal), $1 FROM fresh GROUP BY place / 1000 ORDER BY min(place) \
             RETURNING last_mark"
        )
    };
}

const TICK: &str = tick!("pg_current_snapshot()");
/// The last tick of an era, whose transactions have all ended.
const LAST_TICK: &str = tick!("CAST('9223372036854775807:9223372036854775807:' AS PG_SNAPSHOT)");

/// Records a tick where there is something for one; answers the last mark.
pub(super) async fn tick(connection: &mut PgConnection, now: i64) -> Result<Option<i64>, StoreError> {
    let made = sqlx::query(TICK).bind(now).fetch_all(connection).await.map_err(errors::of_statement)?;
    let marks = made.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>();
    Ok(marks.map_err(errors::of_statement)?.into_iter().max())
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
