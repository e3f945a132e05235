//! Idempotency: a keyed write takes effect once, however often it is sent.
//!
//! The record (caller, method, key) -> request hash, reply bytes and mark is part of the unit of work, claimed before
//! the handler runs: of two units with one key the later one waits or finds the reply. A refusal rolls its record back.
//! Records are kept seven days and purged in small units of their own.

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
/// The most records that one unit purges.
pub(crate) const PURGE_BATCH: u64 = 500;

/// A key that a call came under, in its scope.
pub(crate) struct Claim {
    caller: String,
    method: &'static str,
    key: String,
    hash: [u8; 32],
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

    /// Takes the key for this unit, or finds what an earlier one replied.
    pub(crate) async fn stake(&self, work: &mut Work) -> Result<Standing, StoreError> {
        const STAKE: &str = "INSERT INTO freehold_idempotency \
                             (caller, method, key, request_hash, reply, mark, created_ms) \
                             VALUES ($1, $2, $3, $4, NULL, 0, $5) ON CONFLICT (caller, method, key) DO NOTHING";
        const LOOK: &str = "SELECT request_hash, reply, mark FROM freehold_idempotency \
                            WHERE caller = $1 AND method = $2 AND key = $3";
        let now = work.now();
        let Self { caller, method, key, hash } = self;
        if work.exec(STAKE, vals![caller, *method, key, &hash[..], now]).await? == 1 {
            return Ok(Standing::First);
        }
        // Purged between the two statements: the one who sees it retries under the same key.
        let gone = || StoreError::RolledBack(None);
        let row = work.one(LOOK, vals![caller, *method, key]).await?.ok_or_else(gone)?;
        if row.get::<Vec<u8>>("request_hash")? != hash {
            return Err(StoreError::KeyReused);
        }
        Ok(Standing::Recorded { reply: row.get("reply")?, mark: row.get("mark")? })
    }

    /// Records the reply.
    pub(crate) async fn settle(&self, work: &mut Work, reply: Vec<u8>) -> Result<(), StoreError> {
        const SETTLE: &str = "UPDATE freehold_idempotency SET reply = $4, mark = $5 \
                              WHERE caller = $1 AND method = $2 AND key = $3";
        let mark = work.mark();
        work.exec(SETTLE, vals![&self.caller, self.method, &self.key, reply, mark]).await?;
        Ok(())
    }
}

/// Deletes some of the records that are older than seven days; answers how many.
pub(crate) async fn purge(work: &mut Work) -> Result<u64, StoreError> {
    const PURGE: &str = "DELETE FROM freehold_idempotency WHERE (caller, method, key) IN \
                         (SELECT caller, method, key FROM freehold_idempotency \
                          WHERE created_ms < $1 ORDER BY created_ms LIMIT $2)";
    let before = work.now() - KEPT_MS;
    work.exec(PURGE, vals![before, PURGE_BATCH.cast_signed()]).await
}
