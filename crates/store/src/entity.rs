//! Entities: the shared fields of every key as they stand, with the version of its stream.
//!
//! The row outlives deletion, so a key's versions never start again and a replica learns of the tombstone.
//! **Invariant:** a version is given out under the lock of the key's row, so per key versions are gapless and ascend
//! with the marks.

use freehold_wire::Entity;

use crate::append::{Entry, Step, append};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::idempotency;
use crate::outbox;
use crate::queries::Queries;
use crate::row::Row;
use crate::vals;
use crate::work::Work;

/// The most bytes that a key may have; PostgreSQL's indexes bound it.
pub const MAX_KEY: usize = 512;

/// An entity as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: String,
    /// The version of the last event of its stream.
    pub version: i64,
    /// It has been deleted.
    pub deleted: bool,
    /// The encoded shared fields; `None` for a tombstone.
    pub data: Option<Vec<u8>>,
}

/// A key's row as a unit of work holds it.
struct Locked {
    version: i64,
    deleted: bool,
    data: Option<Vec<u8>>,
}

impl Work {
    /// Locks a key, also one that has no entity yet, until the unit ends; answers the version of its stream, `None`
    /// where it has no event.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::ForeignOwner`], or an error of the database.
    pub async fn lock<T: Entity>(&mut self, key: &str) -> Result<Option<i64>, StoreError> {
        self.owns(T::NAME, T::OWNER)?;
        let locked = lock(self, T::NAME, check_key(T::NAME, key)?).await?;
        Ok((locked.version > 0).then_some(locked.version))
    }

    /// Locks a key and checks that its stream is where the caller saw it; 0 stands for a key without events.
    ///
    /// # Errors
    /// [`StoreError::VersionConflict`] where it is not, else as [`Work::lock`].
    pub async fn expect_version<T: Entity>(&mut self, key: &str, expected: i64) -> Result<(), StoreError> {
        let found = self.lock::<T>(key).await?.unwrap_or(0);
        if found == expected {
            return Ok(());
        }
        Err(StoreError::VersionConflict { entity: T::NAME, key: key.to_owned(), expected, found })
    }

    /// Writes the shared fields of an entity and appends the change; answers the version. Where nothing that is shared
    /// has changed, it appends nothing and answers the version that stands.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::TooLarge`], [`StoreError::ForeignOwner`], or an error of the database.
    pub async fn put<T: Entity>(&mut self, entity: &T) -> Result<i64, StoreError> {
        self.owns(T::NAME, T::OWNER)?;
        let key = check_key(T::NAME, entity.key())?;
        let data = outbox::bounded(T::NAME, entity.shared().encode_to_vec())?;
        let before = lock(self, T::NAME, key).await?;
        if !before.deleted && before.data.as_ref() == Some(&data) {
            return Ok(before.version);
        }
        change::<T>(self, key, before.version + 1, Some(data)).await
    }

    /// Deletes an entity and appends its tombstone; answers the version. A key that has no entity, or has been deleted
    /// before, stays as it is.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::ForeignOwner`], or an error of the database.
    pub async fn delete<T: Entity>(&mut self, key: &str) -> Result<i64, StoreError> {
        self.owns(T::NAME, T::OWNER)?;
        let before = lock(self, T::NAME, check_key(T::NAME, key)?).await?;
        if before.deleted || before.data.is_none() {
            return Ok(before.version);
        }
        change::<T>(self, key, before.version + 1, None).await
    }

    /// Deletes an entity and blanks the data of all its kept events, in the same commit: what is left are headers. The
    /// recorded replies to keyed calls that locked, wrote or emitted for this key go too: such a call sent again gets
    /// [`StoreError::ReplyErased`] and does not run again. Answers the version.
    ///
    /// The reply of the unit that erases stays, so do not answer with what was erased; a unit whose reply holds data
    /// of a key that it only read has to lock that key for its reply to be found.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::ForeignOwner`], or an error of the database.
    pub async fn erase<T: Entity>(&mut self, key: &str) -> Result<i64, StoreError> {
        const BLANK: &str = "UPDATE freehold_outbox SET data = NULL \
                             WHERE entity = $1 AND key = $2 AND data IS NOT NULL";
        let version = self.delete::<T>(key).await?;
        self.exec(BLANK, vals![T::NAME, key]).await?;
        idempotency::erase_replies(self, T::NAME, key).await?;
        Ok(version)
    }
}

/// The entities of one type by their keys, tombstones included, in the order of `keys`; a key that was never put is
/// left out.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn by_keys(
    queries: &mut impl Queries,
    entity: &str,
    keys: &[String],
) -> Result<Vec<Record>, StoreError> {
    const BY_KEY: &str = "SELECT key, version, deleted, data FROM freehold_entity \
                          WHERE entity = $1 AND key = $2 AND (deleted OR data IS NOT NULL)";
    let mut records = Vec::with_capacity(keys.len());
    for key in keys {
        let row = queries.one(BY_KEY, vals![entity, key]).await?;
        records.extend(row.as_ref().map(record).transpose()?);
    }
    Ok(records)
}

/// The next entities of one type after a key (empty: from the first), tombstones included, by key in the order of its
/// bytes, at most `limit`.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn chunk(
    queries: &mut impl Queries,
    entity: &str,
    after_key: &str,
    limit: i64,
) -> Result<Vec<Record>, StoreError> {
    const CHUNK: &str = "SELECT key, version, deleted, data FROM freehold_entity \
                         WHERE entity = $1 AND key > $2 AND (deleted OR data IS NOT NULL) ORDER BY key LIMIT $3";
    let rows = queries.all(CHUNK, vals![entity, after_key, limit]).await?;
    rows.iter().map(record).collect()
}

pub(crate) fn check_key<'a>(entity: &'static str, key: &'a str) -> Result<&'a str, StoreError> {
    let problem = match key {
        "" => "is empty",
        long if long.len() > MAX_KEY => "has more than 512 bytes",
        torn if torn.contains('\0') => "holds a NUL",
        _ => return Ok(key),
    };
    Err(StoreError::BadKey { entity, problem })
}

async fn change<T: Entity>(
    work: &mut Work,
    key: &str,
    version: i64,
    data: Option<Vec<u8>>,
) -> Result<i64, StoreError> {
    let (deleted, step) = (data.is_none(), Step::Save(version));
    append(work, Entry { entity: T::NAME, key, kind: T::NAME, deleted, data, step }).await
}

/// Takes the key's row for this unit alone. SQLite has one writer, so reading it is enough; PostgreSQL locks the row, and
/// makes it first where there is none, since a row that does not exist cannot be locked.
///
/// All that a unit does to a key begins here, so here it is noted for the record of its reply.
async fn lock(work: &mut Work, entity: &'static str, key: &str) -> Result<Locked, StoreError> {
    const LOOK: &str = "SELECT version, deleted, data FROM freehold_entity WHERE entity = $1 AND key = $2";
    const LOCK: &str = "SELECT version, deleted, data FROM freehold_hold_key($1, $2)";
    work.touched.note(entity, key);
    let look = if work.engine() == Engine::Sqlite { LOOK } else { LOCK };
    let Some(row) = work.one(look, vals![entity, key]).await? else {
        return Ok(Locked { version: 0, deleted: false, data: None });
    };
    Ok(Locked { version: row.get("version")?, deleted: row.get("deleted")?, data: row.get("data")? })
}

fn record(row: &Row) -> Result<Record, StoreError> {
    Ok(Record {
        key: row.get("key")?,
        version: row.get("version")?,
        deleted: row.get("deleted")?,
        data: row.get("data")?,
    })
}
