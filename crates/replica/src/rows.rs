//! Writing a copy's rows: inside the applier's units of work, and nowhere else.
//!
//! Each unit opens the gate that the tables' triggers ask and shuts it behind itself. A change that does not decode makes
//! a hole on record: the key reads as absent until its next change, all others go on.

use freehold_store::{Engine, Queries, StoreError, Work, vals};
use freehold_wire::pb::{EntityRow, Envelope};

use crate::apply::{Source, Verdict, judge};
use crate::copied::Copied;
use crate::shape::{Place, Statements, statements};

/// A version of a key as it comes in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Incoming<'a> {
    key: &'a str,
    version: i64,
    deleted: bool,
    data: Option<&'a [u8]>,
    source: Source,
}

impl<'a> Incoming<'a> {
    /// An event of the feed; one that is no change of the entity moves the version alone. A change whose data was
    /// erased takes with it what the copy shows of the key: the older fields are not what the owner had at that version.
    pub(crate) fn event(event: &'a Envelope, of: &str) -> Self {
        let data = event.data.as_deref().filter(|_| event.r#type == of);
        Self {
            key: &event.subject,
            version: event.version,
            deleted: event.deleted || (event.r#type == of && data.is_none()),
            data,
            source: Source::Feed,
        }
    }

    /// A row of a snapshot; one without a value counts as deleted until it gets one.
    pub(crate) fn row(row: &'a EntityRow) -> Self {
        Self {
            key: &row.key,
            version: row.version,
            deleted: row.data.is_none(),
            data: row.data.as_deref(),
            source: Source::Snapshot,
        }
    }
}

/// Lets this unit write copies, or no longer.
pub(crate) async fn open_gate(work: &mut Work, open: bool) -> Result<(), StoreError> {
    const SQLITE: &str = "UPDATE freehold_applier SET applies = $1";
    const POSTGRES: &str =
        "SELECT set_config('freehold.applier', CASE WHEN $1 THEN 'on' ELSE 'off' END, true)";
    match work.engine() {
        Engine::Sqlite => work.exec(SQLITE, vals![open]).await.map(drop),
        Engine::Postgres => work.one(POSTGRES, vals![open]).await.map(drop),
    }
}

/// Writes what came in into the copy's table, the gate being open; answers what became of it.
pub(crate) async fn write<T: Copied>(
    work: &mut Work,
    place: Place,
    incoming: Incoming<'_>,
) -> Result<Verdict, StoreError> {
    let sql = statements::<T>(place);
    let stands = version(work, sql, incoming.key).await?;
    let verdict = judge(stands, incoming.version, incoming.source);
    if verdict == Verdict::Apply {
        match (incoming.deleted, incoming.data) {
            (false, Some(data)) => put::<T>(work, sql, incoming, data).await?,
            (true, _) => {
                work.exec(sql.delete, vals![incoming.key, incoming.version]).await?;
                heal::<T>(work, incoming.key).await?;
            }
            (false, None) => {
                work.exec(sql.advance, vals![incoming.key, incoming.version]).await?;
            }
        }
    }
    Ok(verdict)
}

async fn version(work: &mut Work, sql: &Statements, key: &str) -> Result<i64, StoreError> {
    let row = work.one(sql.version, vals![key]).await?;
    row.map_or(Ok(0), |row| row.get("freehold_version"))
}

async fn put<T: Copied>(
    work: &mut Work,
    sql: &Statements,
    incoming: Incoming<'_>,
    data: &[u8],
) -> Result<(), StoreError> {
    let Incoming { key, version, .. } = incoming;
    let value = match T::decode(data) {
        Ok(value) if value.key() == key => value,
        Ok(value) => {
            return hole::<T>(work, sql, incoming, &format!("it is of the key `{}`", value.key())).await;
        }
        Err(error) => return hole::<T>(work, sql, incoming, &error.to_string()).await,
    };
    let mut values = value.values();
    values.push(version.into());
    work.exec(sql.put, values).await?;
    heal::<T>(work, key).await
}

/// Leaves a hole where a change did not decode, and keeps its bytes.
async fn hole<T: Copied>(
    work: &mut Work,
    sql: &Statements,
    incoming: Incoming<'_>,
    reason: &str,
) -> Result<(), StoreError> {
    const KEEP: &str = "INSERT INTO freehold_undecoded (replica, key, version, data, reason) \
                        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (replica, key) DO UPDATE \
                        SET version = excluded.version, data = excluded.data, reason = excluded.reason";
    let Incoming { key, version, data, .. } = incoming;
    tracing::error!(replica = T::NAME, version, reason, "a change does not decode");
    work.exec(KEEP, vals![T::NAME, key, version, data.unwrap_or_default(), reason]).await?;
    work.exec(sql.delete, vals![key, version]).await.map(drop)
}

async fn heal<T: Copied>(work: &mut Work, key: &str) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM freehold_undecoded WHERE replica = $1 AND key = $2";
    work.exec(FORGET, vals![T::NAME, key]).await.map(drop)
}
