//! The outbox: the table of an owner's events, which is the log that its feed serves.
//!
//! A unit of work appends to it; the feed reads it in the order of its marks. On SQLite a mark is the row's id, given
//! out under the writer's lock, so marks ascend in commit order. **Limit:** on PostgreSQL a mark is an identity that says
//! nothing about commit order; the feed serves SQLite stores only until positions there are ticks.

use freehold_wire::pb::{Envelope, TokenSet};
use freehold_wire::prost::Message;
use freehold_wire::prost_types::Timestamp;
use freehold_wire::{Event, Session};

use crate::engine::Engine;
use crate::entity;
use crate::epoch::History;
use crate::error::StoreError;
use crate::queries::Queries;
use crate::read::Read;
use crate::row::Row;
use crate::store::Store;
use crate::vals;
use crate::value::Value;
use crate::work::{Origin, Work};

/// The most bytes that an event's data or an entity's shared fields may have: what every bus takes.
pub const MAX_DATA: usize = 1024 * 1024;

/// An event that is about to be appended.
pub(crate) struct Entry<'a> {
    pub(crate) entity: &'static str,
    pub(crate) key: &'a str,
    pub(crate) version: i64,
    pub(crate) kind: &'static str,
    pub(crate) deleted: bool,
    pub(crate) data: Option<Vec<u8>>,
}

impl Work {
    /// Appends an event to its key's stream; answers its version.
    ///
    /// # Errors
    /// [`StoreError::ForeignOwner`], [`StoreError::BadKey`], [`StoreError::TooLarge`], or an error of the database.
    pub async fn emit<T: Event>(&mut self, event: &T) -> Result<i64, StoreError> {
        self.owns(T::NAME, T::OWNER)?;
        let key = entity::check_key(T::ENTITY, event.key())?;
        let data = bounded(T::NAME, event.shared().encode_to_vec())?;
        let version = entity::advance(self, T::ENTITY, key).await?;
        let entry =
            Entry { entity: T::ENTITY, key, version, kind: T::NAME, deleted: false, data: Some(data) };
        append(self, entry).await
    }

    pub(crate) fn owns(&self, what: &'static str, owner: &'static str) -> Result<(), StoreError> {
        let service = &self.history.service;
        if **service == *owner {
            return Ok(());
        }
        Err(StoreError::ForeignOwner { what, owner, service: service.to_string() })
    }
}

/// The events after `$1`, oldest first, at most `$2`.
const AFTER: &str = "SELECT mark, id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens, \
                     data FROM freehold_outbox WHERE mark > $1 ORDER BY mark LIMIT $2";

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
    let rows = queries.all(AFTER, vals![mark, limit]).await?;
    rows.iter().map(|row| envelope(store.history(), row)).collect()
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
    let page = read.page(AFTER, vals![mark, limit], bytes).await?;
    let events = page.rows.iter().map(|row| envelope(store.history(), row)).collect::<Result<_, _>>()?;
    Ok((events, page.cut))
}

/// The mark of the oldest event that is kept; `None` where none is.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn oldest(queries: &mut impl Queries) -> Result<Option<i64>, StoreError> {
    let row = queries.one("SELECT min(mark) AS mark FROM freehold_outbox", vals![]).await?;
    row.map_or(Ok(None), |row| row.get("mark"))
}

/// What is kept after a mark: how many events, counted up to `limit`, and when the first was emitted, in milliseconds
/// since 1970.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn behind(
    queries: &mut impl Queries,
    mark: i64,
    limit: i64,
) -> Result<(i64, Option<i64>), StoreError> {
    const COUNT: &str =
        "SELECT count(*) AS n FROM (SELECT mark FROM freehold_outbox WHERE mark > $1 LIMIT $2) AS later";
    const FIRST: &str = "SELECT time_ms FROM freehold_outbox WHERE mark > $1 ORDER BY mark LIMIT 1";
    let count = queries.one(COUNT, vals![mark, limit]).await?;
    let first = queries.one(FIRST, vals![mark]).await?;
    let count = count.map_or(Ok(0), |row| row.get("n"))?;
    Ok((count, first.map(|row| row.get("time_ms")).transpose()?))
}

/// Appends an event under a version that was given out for it.
pub(crate) async fn append(work: &mut Work, entry: Entry<'_>) -> Result<i64, StoreError> {
    let Entry { entity, key, version, kind, deleted, data } = entry;
    let id = uuid::Uuid::now_v7().to_string();
    let now = work.now();
    let Origin { traceparent, cause, tokens } = work.origin();
    let values =
        vals![id, entity, key, version, kind, deleted, now, traceparent, cause, tokens.as_slice(), data];
    let mark = insert(work, values).await?;
    work.reached(mark);
    Ok(version)
}

/// Inserts a row and answers the mark that the engine has given it.
async fn insert(work: &mut Work, values: Vec<Value>) -> Result<i64, StoreError> {
    macro_rules! append {
        () => {
            "INSERT INTO freehold_outbox \
             (id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens, data) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        };
    }
    if let Engine::Sqlite = work.engine() {
        work.exec(append!(), values).await?;
        return Ok(work.last_id());
    }
    let row = work.one(concat!(append!(), " RETURNING mark"), values).await?;
    row.map_or(Ok(0), |row| row.get("mark"))
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
