//! The outbox: the table of an owner's events, which is the log that its feed serves.
//!
//! A unit of work appends to it; the feed reads it in the order of its marks. On SQLite a mark is the row's id, given
//! out under the writer's lock, so marks ascend in commit order. On PostgreSQL a tick gives it, see `postgres/tick.rs`.
//! **Invariant:** marks have no gap, and per key they ascend with the versions.

use std::sync::Arc;

use freehold_wire::pb::{Envelope, Position, TokenSet};
use freehold_wire::prost::Message;
use freehold_wire::prost_types::Timestamp;
use freehold_wire::{Event, Session};

use crate::append::{Entry, Step, append};
use crate::engine::Engine;
use crate::entity;
use crate::epoch::{self, History};
use crate::error::StoreError;
use crate::postgres::TICK_MOST;
use crate::queries::Queries;
use crate::read::Read;
use crate::row::Row;
use crate::store::Store;
use crate::vals;
use crate::work::Work;

/// The most bytes that an event's data or an entity's shared fields may have: what every bus takes.
pub const MAX_DATA: usize = 1024 * 1024;

impl Work {
    /// Appends an event to its key's stream; answers its version.
    ///
    /// # Errors
    /// [`StoreError::ForeignOwner`], [`StoreError::BadKey`], [`StoreError::TooLarge`], or an error of the database.
    pub async fn emit<T: Event>(&mut self, event: &T) -> Result<i64, StoreError> {
        self.owns(T::NAME, T::OWNER)?;
        let key = entity::check_key(T::ENTITY, event.key())?;
        let data = bounded(T::NAME, event.shared().encode_to_vec())?;
        let (entity, kind, data) = (T::ENTITY, T::NAME, Some(data));
        append(self, Entry { entity, key, kind, deleted: false, data, step: Step::Count }).await
    }

    pub(crate) fn owns(&mut self, what: &'static str, owner: &'static str) -> Result<(), StoreError> {
        self.may_tell(what)?;
        if *self.service == *owner {
            return Ok(());
        }
        Err(StoreError::ForeignOwner { what, owner, service: self.service.to_string() })
    }
}

/// The most events that are read at once; marks are added to it.
const MOST: i64 = 1 << 40;

macro_rules! events {
    ($from:literal) => {
        concat!(
            "SELECT mark, id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens, data FROM ",
            $from,
            " ORDER BY mark LIMIT $2"
        )
    };
}

/// The events after `$1`, oldest first, at most `$2`.
fn after_mark(engine: Engine) -> &'static str {
    // Marks have no gap, so the ticks of those that are asked for are known, and no other is looked at.
    const _: () = assert!(TICK_MOST == 1000);
    match engine {
        Engine::Sqlite => events!("freehold_outbox WHERE mark > $1"),
        Engine::Postgres => events!(
            "freehold_event WHERE last_mark > $1 AND last_mark < $1 + $2 + 1000 AND first_mark <= $1 + $2 \
             AND mark > $1 AND mark <= $1 + $2"
        ),
    }
}

/// The events after a mark, oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn after(
    store: &Store,
    queries: &mut impl Queries,
    mark: i64,
    limit: i64,
) -> Result<Vec<Envelope>, StoreError> {
    let (sql, limit) = (after_mark(store.engine()), limit.min(MOST));
    let mut rows = queries.all(sql, vals![mark, limit]).await?;
    if let Some(mark) = first_kept(store, queries, mark, &rows).await? {
        rows = queries.all(sql, vals![mark, limit]).await?;
    }
    envelopes(store, queries, &rows).await
}

/// The same, and together at most as many as `bytes` hold, as [`Read::page`] counts them; at least one where there is
/// any. Answers too whether there is a further one within the limit.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn page(
    store: &Store,
    read: &mut Read,
    mark: i64,
    limit: i64,
    bytes: usize,
) -> Result<(Vec<Envelope>, bool), StoreError> {
    let (sql, limit) = (after_mark(store.engine()), limit.min(MOST));
    let mut page = read.page(sql, vals![mark, limit], bytes).await?;
    if let Some(mark) = first_kept(store, read, mark, &page.rows).await? {
        page = read.page(sql, vals![mark, limit], bytes).await?;
    }
    Ok((envelopes(store, read, &page.rows).await?, page.cut))
}

async fn envelopes(
    store: &Store,
    queries: &mut impl Queries,
    rows: &[Row],
) -> Result<Vec<Envelope>, StoreError> {
    let last = rows.last().map_or(Ok(0), |row| row.get("mark"))?;
    let history = history_at(store, queries, last).await?;
    rows.iter().map(|row| envelope(&history, row)).collect()
}

/// A history that has the epoch of a mark which a read has seen: on PostgreSQL another instance may have begun it just now.
pub(crate) async fn history_at(
    store: &Store,
    queries: &mut impl Queries,
    mark: i64,
) -> Result<Arc<History>, StoreError> {
    if mark <= store.head().mark() {
        return Ok(store.history());
    }
    let epochs = epoch::of_rows(&queries.all(epoch::EPOCHS, vals![]).await?)?;
    Ok(Arc::new(History::new(store.service(), epochs)))
}

/// The mark to read behind instead, where the rows do not go on after `mark`: on PostgreSQL, which is asked for a range of
/// marks, they lack what lies behind the range where that begins among marks that are gone.
async fn first_kept(
    store: &Store,
    queries: &mut impl Queries,
    mark: i64,
    rows: &[Row],
) -> Result<Option<i64>, StoreError> {
    let first = rows.first().map(|row| row.get::<i64>("mark")).transpose()?;
    if store.engine() == Engine::Sqlite || first == Some(mark + 1) {
        return Ok(None);
    }
    Ok(oldest(store, queries).await?.map(|oldest| oldest - 1).filter(|before| *before > mark))
}

/// The mark of the oldest event that is kept; `None` where none is.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn oldest(store: &Store, queries: &mut impl Queries) -> Result<Option<i64>, StoreError> {
    const ROW: &str = "SELECT min(mark) AS mark FROM freehold_outbox";
    // Rows that were deleted stay in the index for as long as some transaction may see them; this passes them over.
    const TICK: &str = "SELECT first_mark AS mark FROM freehold_tick WHERE first_mark <= last_mark AND last_mark >= $1 \
                        ORDER BY last_mark LIMIT 1";
    let row = match store.engine() {
        Engine::Sqlite => queries.one(ROW, vals![]).await?,
        Engine::Postgres => queries.one(TICK, vals![store.kept_from(None)]).await?,
    };
    let mark: Option<i64> = row.map_or(Ok(None), |row| row.get("mark"))?;
    store.kept_from(mark);
    Ok(mark)
}

/// What is kept after a mark: how many events, counted up to `limit`, and when the first was emitted, in milliseconds
/// since 1970.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn behind(
    store: &Store,
    queries: &mut impl Queries,
    mark: i64,
    limit: i64,
) -> Result<(i64, Option<i64>), StoreError> {
    let Some(oldest) = oldest(store, queries).await? else { return Ok((0, None)) };
    let before = mark.max(oldest - 1);
    let head = queries.one("SELECT mark FROM freehold_head", vals![]).await?;
    let head: i64 = head.map_or(Ok(0), |row| row.get("mark"))?;
    let first = queries.one(after_mark(store.engine()), vals![before, 1]).await?;
    Ok(((head - before).clamp(0, limit), first.map(|row| row.get("time_ms")).transpose()?))
}

/// Deletes the oldest events up to a mark that were emitted before a time, in milliseconds since 1970: a batch of about a
/// thousand. Answers whether there may be more. On PostgreSQL it deletes whole ticks, so a tick that goes on beyond the
/// mark or the time stays.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn purge(work: &mut Work, up_to: i64, before_ms: i64) -> Result<bool, StoreError> {
    const OLDEST: &str = "SELECT COALESCE(min(CASE WHEN time_ms >= $2 THEN mark END) - 1, max(mark)) AS mark FROM \
                          (SELECT mark, time_ms FROM freehold_outbox WHERE mark <= $1 ORDER BY mark LIMIT $3) AS oldest";
    const DELETE: &str = "DELETE FROM freehold_outbox WHERE mark <= $1";
    const TICKS_THERE: &str = "SELECT max(last_mark) AS mark FROM \
                               (SELECT last_mark, sum(last_mark - first_mark + 1) OVER (ORDER BY last_mark) AS so_far \
                                FROM freehold_tick WHERE last_mark <= $1 AND first_mark <= last_mark AND ticked_ms < $2 \
                                ORDER BY last_mark LIMIT $3) AS oldest WHERE so_far <= $3";
    const TICKED: &str = "DELETE FROM freehold_outbox WHERE ordinal IN \
                          (SELECT ordinal FROM freehold_event WHERE last_mark <= $1)";
    const TICKS: &str = "DELETE FROM freehold_tick WHERE last_mark <= $1 \
                         AND ordinal < (SELECT max(ordinal) FROM freehold_tick)";
    // The last tick says where the marks stand.
    const LAST: &str = "UPDATE freehold_tick SET first_mark = last_mark + 1 WHERE last_mark <= $1 AND first_mark <= last_mark";
    let (find, delete): (_, &[&'static str]) = match work.engine() {
        Engine::Sqlite => (OLDEST, &[DELETE]),
        Engine::Postgres => (TICKS_THERE, &[TICKED, TICKS, LAST]),
    };
    let bound = work.one(find, vals![up_to, before_ms, TICK_MOST]).await?;
    let Some(bound) = bound.map_or(Ok(None), |row| row.get::<Option<i64>>("mark"))? else { return Ok(false) };
    let mut deleted = 0;
    for statement in delete {
        deleted += work.exec(statement, vals![bound]).await?;
    }
    Ok(deleted > 0)
}

/// About how many bytes the events take that are kept: on PostgreSQL with their indexes and what is not cleaned up yet, on
/// SQLite as the oldest and the newest few let expect.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn size(store: &Store, queries: &mut impl Queries) -> Result<i64, StoreError> {
    const SERVER: &str = "SELECT pg_total_relation_size('freehold_outbox') AS bytes";
    const FEW: &str = "SELECT CAST(AVG(200 + COALESCE(LENGTH(data), 0)) AS BIGINT) AS bytes FROM \
                       (SELECT data FROM (SELECT data FROM freehold_outbox ORDER BY mark LIMIT 100) \
                        UNION ALL SELECT data FROM (SELECT data FROM freehold_outbox ORDER BY mark DESC LIMIT 100))";
    let sql = if store.engine() == Engine::Postgres { SERVER } else { FEW };
    let row = queries.one(sql, vals![]).await?;
    let bytes: i64 = row.map_or(Ok(None), |row| row.get::<Option<i64>>("bytes"))?.unwrap_or(0);
    match (store.engine(), oldest(store, queries).await?) {
        (Engine::Postgres, _) => Ok(bytes),
        (Engine::Sqlite, None) => Ok(0),
        (Engine::Sqlite, Some(oldest)) => Ok(bytes * (store.head().mark() - oldest + 1).max(0)),
    }
}

/// The position up to which the read sees every event. It may see more: on PostgreSQL an event has no mark yet when it is
/// committed.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn standing(store: &Store, read: &mut Read) -> Result<Position, StoreError> {
    let mark = epoch::last_mark(read.lane()?).await?;
    Ok(history_at(store, read, mark).await?.position(mark))
}

pub(crate) fn bounded(what: &'static str, data: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    if data.len() <= MAX_DATA {
        return Ok(data);
    }
    Err(StoreError::TooLarge { what, bytes: data.len(), most: MAX_DATA })
}

pub(crate) fn encode_tokens(session: &Session) -> Vec<u8> {
    TokenSet::default().with_tokens(session.tokens()).encode_to_vec()
}

fn envelope(history: &History, row: &Row) -> Result<Envelope, StoreError> {
    let data: Option<Vec<u8>> = row.get("data")?;
    let kind: String = row.get("type")?;
    let tokens = TokenSet::decode(row.get::<Vec<u8>>("tokens")?.as_slice());
    let damaged =
        |_| StoreError::Decode { column: "tokens".to_owned(), problem: "is no token set".to_owned() };
    let mut envelope = Envelope::default()
        .with_id(row.get::<String>("id")?)
        .with_source(history.service.as_ref())
        .with_type(kind.as_str())
        .with_subject(row.get::<String>("key")?)
        .with_time(timestamp(row.get("time_ms")?))
        .with_entity(row.get::<String>("entity")?)
        .with_version(row.get("version")?)
        .with_position(history.position(row.get("mark")?))
        .with_traceparent(row.get::<String>("traceparent")?)
        .with_cause(row.get::<String>("cause")?)
        .with_tokens(tokens.map_err(damaged)?.tokens)
        .with_deleted(row.get("deleted")?);
    if let Some(data) = data {
        envelope = envelope.with_dataschema(kind).with_data(data);
    }
    Ok(envelope)
}

/// A time in milliseconds since 1970.
#[must_use]
pub fn timestamp(time_ms: i64) -> Timestamp {
    let nanos = i32::try_from(time_ms.rem_euclid(1000)).unwrap_or_default() * 1_000_000;
    Timestamp { seconds: time_ms.div_euclid(1000), nanos }
}
