//! What a consumer's database says about a copy: whether it is ready, and how far its snapshot has come.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::copied::Copied;
use crate::shape;

/// How a copy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The columns that its tables have.
    pub(crate) columns: String,
    /// It may be read.
    pub(crate) ready: bool,
    /// The key that its snapshot has come to; `None` where no snapshot is under way.
    pub(crate) after_key: Option<String>,
    /// A new table is being made; it is complete when everything up to this mark has been applied to it.
    pub(crate) bound: Option<i64>,
}

impl Record {
    /// Whether the new table is complete when everything up to this mark has been applied to it.
    pub(crate) fn completes(&self, mark: i64) -> bool {
        self.after_key.is_none() && self.bound.is_some_and(|bound| bound <= mark)
    }
}

/// Reads how a copy stands; `None` before it exists.
pub(crate) async fn load<T: Copied>(queries: &mut impl Queries) -> Result<Option<Record>, StoreError> {
    const LOOK: &str = "SELECT columns, ready, after_key, bound FROM freehold_replica WHERE replica = $1";
    let row = queries.one(LOOK, vals![T::NAME]).await?;
    row.as_ref().map(read).transpose()
}

/// Writes how a copy stands.
pub(crate) async fn save<T: Copied>(work: &mut Work, record: &Record) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO freehold_replica \
                        (replica, subscription, owner, entity, target, columns, ready, after_key, bound) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (replica) DO UPDATE \
                        SET subscription = excluded.subscription, owner = excluded.owner, entity = excluded.entity, \
                        target = excluded.target, columns = excluded.columns, ready = excluded.ready, \
                        after_key = excluded.after_key, bound = excluded.bound";
    let Record { columns, ready, after_key, bound } = record.clone();
    let name = subscription::<T>();
    let values = vals![T::NAME, name, T::OWNER, T::OF, T::TABLE, columns, ready, after_key, bound];
    work.exec(SAVE, values).await.map(drop)
}

/// The purpose of a copy's subscription.
pub(crate) fn purpose<T: Copied>() -> String {
    format!("replica/{}", T::NAME)
}

/// The name of a copy's subscription.
pub(crate) fn subscription<T: Copied>() -> String {
    format!("{}/{}", T::CONSUMER, purpose::<T>())
}

/// Makes the table of a new copy, or widens that of one that has got new fields; then a snapshot must fill it.
pub(crate) async fn prepare<T: Copied>(work: &mut Work) -> Result<Record, StoreError> {
    let columns = shape::described(T::COLUMNS);
    let record = match load::<T>(work).await? {
        Some(record) if record.columns == columns => return Ok(record),
        Some(record) => {
            work.define(&shape::widen(T::TABLE, &record.columns, T::COLUMNS)).await?;
            Record { columns, ready: false, after_key: None, bound: None }
        }
        None => {
            work.define(&shape::create(T::TABLE, T::KEY, T::COLUMNS)).await?;
            work.define(&shape::protect(T::TABLE, T::OF, work.engine())).await?;
            Record { columns, ready: false, after_key: None, bound: None }
        }
    };
    save::<T>(work, &record).await?;
    Ok(record)
}

fn read(row: &Row) -> Result<Record, StoreError> {
    Ok(Record {
        columns: row.get("columns")?,
        ready: row.get("ready")?,
        after_key: row.get("after_key")?,
        bound: row.get("bound")?,
    })
}
