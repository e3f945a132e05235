//! Idempotency: a keyed write takes effect once, however often it is sent.
//!
//! The record (caller, method, key) -> request hash, reply bytes and mark is part of the unit of work, claimed before
//! the handler runs: of two units with one key the later one waits or finds the reply. A refusal rolls its record back.
//! A record counts for seven days, is purged later, and loses its reply when an entity is erased that its unit touched.
//! **Invariant:** while a record counts, its handler does not run again, with or without its reply.

use std::collections::BTreeSet;
use std::time::Duration;

use freehold_wire::Context;

use crate::error::StoreError;
use crate::queries::Queries;
use crate::vals;
use crate::work::Work;

/// How long a reply is kept.
pub(crate) const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// How often records are looked through for old ones.
pub(crate) const PURGE_EVERY_MS: i64 = 60 * 1000;
/// How long a unit that purges may take.
pub(crate) const PURGE_BUDGET: Duration = Duration::from_secs(5);
/// The most records, and the most notes of what they touched, that one unit purges.
const PURGE_BATCH: u64 = 500;

/// A key that a call came under, in its scope.
pub(crate) struct Claim {
    caller: String,
    method: &'static str,
    key: String,
    hash: [u8; 32],
}

/// The keys of entities that a unit has touched, for the record of its reply. A unit without an idempotency key
/// records none and notes nothing.
#[derive(Debug, Default)]
pub(crate) struct Touched(Option<BTreeSet<(&'static str, String)>>);

impl Touched {
    pub(crate) fn note(&mut self, entity: &'static str, key: &str) {
        if let Some(touched) = &mut self.0 {
            touched.insert((entity, key.to_owned()));
        }
    }

    fn begin(&mut self) {
        self.0 = Some(BTreeSet::new());
    }

    fn forget(&mut self, entity: &'static str, key: &str) {
        if let Some(touched) = &mut self.0 {
            touched.remove(&(entity, key.to_owned()));
        }
    }

    fn take(&mut self) -> BTreeSet<(&'static str, String)> {
        self.0.take().unwrap_or_default()
    }
}

/// What a key's record says.
pub(crate) enum Standing {
    /// The unit is the first under this key.
    First,
    /// An earlier one has committed.
    Recorded { reply: Vec<u8>, mark: i64 },
}

impl Claim {
    /// `None` for a call without a key.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        Some(Self {
            key: context.key()?.to_owned(),
            caller: context.caller().name().unwrap_or_default().to_owned(),
            method: context.method(),
            hash: *context.request_hash(),
        })
    }

    /// Takes the key for this unit, or finds what an earlier one replied. A record that no longer counts is taken over,
    /// whether or not a purge has come by.
    pub(crate) async fn stake(&self, work: &mut Work) -> Result<Standing, StoreError> {
        const STAKE: &str = "INSERT INTO freehold_idempotency AS record \
                             (caller, method, key, request_hash, reply, mark, created_ms) \
                             VALUES ($1, $2, $3, $4, NULL, 0, $5) ON CONFLICT (caller, method, key) DO UPDATE \
                             SET request_hash = excluded.request_hash, reply = NULL, mark = 0, \
                             created_ms = excluded.created_ms WHERE record.created_ms < $6";
        const LOOK: &str = "SELECT request_hash, reply, mark FROM freehold_idempotency \
                            WHERE caller = $1 AND method = $2 AND key = $3";
        let now = work.now();
        let Self { caller, method, key, hash } = self;
        if work.exec(STAKE, vals![caller, *method, key, &hash[..], now, now - KEPT_MS]).await? == 1 {
            work.touched.begin();
            return Ok(Standing::First);
        }
        // Purged between the two statements: the one who sees it retries under the same key.
        let gone = || StoreError::RolledBack(None);
        let row = work.one(LOOK, vals![caller, *method, key]).await?.ok_or_else(gone)?;
        let Some(reply) = row.get::<Option<Vec<u8>>>("reply")? else { return Err(StoreError::ReplyErased) };
        if row.get::<Vec<u8>>("request_hash")? != hash {
            return Err(StoreError::KeyReused);
        }
        Ok(Standing::Recorded { reply, mark: row.get("mark")? })
    }

    /// Records the reply, and which keys an erasure has to look for it under.
    pub(crate) async fn settle(&self, work: &mut Work, reply: Vec<u8>) -> Result<(), StoreError> {
        const SETTLE: &str = "UPDATE freehold_idempotency SET reply = $4, mark = $5 \
                              WHERE caller = $1 AND method = $2 AND key = $3";
        // An expired record under the same idempotency key may have touched the same entity.
        const NOTE: &str = "INSERT INTO freehold_touched \
                            (entity, key, caller, method, idempotency_key, created_ms) \
                            VALUES ($1, $2, $3, $4, $5, $6) \
                            ON CONFLICT (entity, key, caller, method, idempotency_key) \
                            DO UPDATE SET created_ms = excluded.created_ms";
        let (mark, now) = (work.mark(), work.now());
        let Self { caller, method, key, .. } = self;
        work.exec(SETTLE, vals![caller, *method, key, reply, mark]).await?;
        for (entity, touched) in work.touched.take() {
            work.exec(NOTE, vals![entity, touched, caller, *method, key, now]).await?;
        }
        Ok(())
    }
}

/// Blanks the replies of recorded calls that touched a key, and the digests of what they asked, which would confirm a
/// guess of it. A unit that has yet to record its own reply keeps it.
pub(crate) async fn erase_replies(
    work: &mut Work,
    entity: &'static str,
    key: &str,
) -> Result<(), StoreError> {
    const BLANK: &str = "UPDATE freehold_idempotency AS record SET reply = NULL, request_hash = $3 \
                         FROM freehold_touched AS touched WHERE touched.entity = $1 AND touched.key = $2 \
                         AND record.caller = touched.caller AND record.method = touched.method \
                         AND record.key = touched.idempotency_key AND record.created_ms = touched.created_ms \
                         AND record.reply IS NOT NULL";
    const FORGET: &str = "DELETE FROM freehold_touched WHERE entity = $1 AND key = $2";
    work.exec(BLANK, vals![entity, key, &[][..]]).await?;
    work.exec(FORGET, vals![entity, key]).await?;
    work.touched.forget(entity, key);
    Ok(())
}

/// Deletes some of the records that are older than seven days, and of the notes of what such records touched; answers
/// whether there may be more. Notes go last: a reply that is still there can be found.
///
/// The age is asked twice, since PostgreSQL looks at a row again that another unit has taken over meanwhile, and does not
/// ask the inner query again.
pub(crate) async fn purge(work: &mut Work) -> Result<bool, StoreError> {
    const PURGE: &str = "DELETE FROM freehold_idempotency WHERE created_ms < $1 AND (caller, method, key) IN \
                         (SELECT caller, method, key FROM freehold_idempotency \
                          WHERE created_ms < $1 ORDER BY created_ms LIMIT $2)";
    const NOTES: &str = "DELETE FROM freehold_touched WHERE created_ms < $1 \
                         AND (entity, key, caller, method, idempotency_key) IN \
                         (SELECT entity, key, caller, method, idempotency_key FROM freehold_touched \
                          WHERE created_ms < $1 ORDER BY created_ms LIMIT $2)";
    let before = work.now() - KEPT_MS;
    for purge in [PURGE, NOTES] {
        if work.exec(purge, vals![before, PURGE_BATCH.cast_signed()]).await? == PURGE_BATCH {
            return Ok(true);
        }
    }
    Ok(false)
}
