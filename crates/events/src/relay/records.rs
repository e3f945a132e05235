//! What a relay keeps in its owner's database: who holds it, and how far it has come.
//!
//! Its position is that of a registered subscription, so the outbox keeps what it has not published. **Invariant:** the
//! position moves only in a unit of work that finds the relay's own fence.

use freehold_store::{Queries, Store, StoreError, Work, vals};
use freehold_wire::Context;
use freehold_wire::pb::Position;

use super::lease::{Held, RENEWAL};

/// How long a unit of a relay may take.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(10);
const _: () = assert!(RENEWAL.as_secs() > 0, "a lease that is renewed all the time");

/// A relay's rows.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    pub(crate) store: Store,
    pub(crate) bus: &'static str,
    pub(crate) holder: String,
}

/// Why a relay's record did not move.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// Another process holds the relay by now.
    #[error("another process relays by now")]
    Fenced,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The relay's name among those who read the owner's outbox.
pub(crate) fn subscription(owner: &str, bus: &str) -> String {
    format!("{owner}/relay/{bus}")
}

impl Records {
    /// Who holds the relay.
    pub(crate) async fn held(&self) -> Result<Option<Held>, StoreError> {
        const HELD: &str = "SELECT fence, renewals FROM freehold_relay WHERE bus = $1";
        let row = self.store.read().await?.one(HELD, vals![self.bus]).await?;
        row.map(|row| Ok(Held { fence: row.get("fence")?, renewals: row.get("renewals")? })).transpose()
    }

    /// Takes the relay from the holder that was seen; `None` where it is another one by now.
    pub(crate) async fn take(&self, seen: Option<Held>) -> Result<Option<i64>, StoreError> {
        const TAKE: &str = "INSERT INTO freehold_relay (bus, holder, fence, renewals, since_ms, renewed_ms, problem) \
             VALUES ($1, $2, 1, 0, $5, $5, '') ON CONFLICT (bus) DO UPDATE SET holder = excluded.holder, \
             fence = freehold_relay.fence + 1, renewals = 0, since_ms = excluded.since_ms, \
             renewed_ms = excluded.renewed_ms, problem = '' \
             WHERE freehold_relay.fence = $3 AND freehold_relay.renewals = $4 RETURNING fence";
        let (bus, holder) = (self.bus, self.holder.clone());
        let seen = seen.unwrap_or(Held { fence: 0, renewals: 0 });
        let unit = async move |work: &mut Work| {
            let now = work.now();
            let row = work.one(TAKE, vals![bus, holder, seen.fence, seen.renewals, now]).await?;
            row.map(|row| row.get("fence")).transpose()
        };
        self.store.unit::<_, StoreError, _>(&self.context(), unit).await.map(|(fence, _)| fence)
    }

    /// How far the relay has come; it is registered if it is not.
    pub(crate) async fn position(&self) -> Result<i64, StoreError> {
        const LOOK: &str = "SELECT mark FROM freehold_subscription WHERE subscription = $1";
        let name = subscription(self.store.service(), self.bus);
        let row = self.store.read().await?.one(LOOK, vals![name]).await?;
        row.map_or(Ok(0), |row| row.get("mark"))
    }

    /// Counts on, and moves the position if there is one.
    pub(crate) async fn renew(
        &self,
        fence: i64,
        position: Option<Position>,
        problem: String,
    ) -> Result<(), RecordError> {
        const RENEW: &str = "UPDATE freehold_relay SET renewals = renewals + 1, renewed_ms = $3, problem = $4 \
                             WHERE bus = $1 AND fence = $2";
        const MOVE: &str = "INSERT INTO freehold_subscription \
                            (subscription, consumer, epoch, mark, registered_ms, acked_ms) \
                            VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (subscription) DO UPDATE \
                            SET epoch = excluded.epoch, mark = excluded.mark, acked_ms = excluded.acked_ms \
                            WHERE freehold_subscription.mark <= excluded.mark";
        let (bus, owner) = (self.bus, self.store.service().to_owned());
        let unit = async move |work: &mut Work| {
            let now = work.now();
            if work.exec(RENEW, vals![bus, fence, now, problem]).await? == 0 {
                return Err(RecordError::Fenced);
            }
            if let Some(Position { epoch, mark, .. }) = position {
                let name = subscription(&owner, bus);
                work.exec(MOVE, vals![name, owner, epoch.cast_signed(), mark, now]).await?;
            }
            Ok(())
        };
        self.store.unit(&self.context(), unit).await.map(drop)
    }

    fn context(&self) -> Context {
        Context::new(self.store.service(), BUDGET)
    }
}
