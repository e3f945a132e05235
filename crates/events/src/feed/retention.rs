//! What an owner keeps of its events, and that it lets go of the rest.
//!
//! Events go from the oldest on, whole ranges, never one out of the middle: marks and versions stay without gaps, so a gap
//! that a consumer sees is a real one. **Invariant:** an event that a registered subscription has not acknowledged stays,
//! however old it is and however much there is; that this is so is told once, and counted.

use std::sync::Weak;
use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, Work, outbox, vals};
use freehold_wire::Context;

use super::Served;

/// How often it looks for what may go.
const PAUSE: Duration = Duration::from_secs(60);
/// More bytes than that are too much for a subscription to have kept, however young they are: a gibibyte.
pub(crate) const ALARM_BYTES: i64 = 1 << 30;
/// How long a batch may take.
const BUDGET: Duration = Duration::from_secs(10);

/// How much of its history an owner keeps, whether anybody still wants it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Whatever is not older than that. What a subscription has not acknowledged is kept besides.
    AtLeast(Duration),
    /// All of it, for views that are to be built anew from the first event on.
    Everything,
}

impl Default for Keep {
    /// Seven days.
    fn default() -> Self {
        Self::AtLeast(Duration::from_secs(7 * 24 * 3600))
    }
}

impl From<Option<Duration>> for Keep {
    fn from(at_least: Option<Duration>) -> Self {
        at_least.map_or(Self::Everything, Self::AtLeast)
    }
}

/// How the events stand that are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) events: i64,
    pub(super) bytes: i64,
    /// When the oldest was emitted, in milliseconds since 1970.
    pub(super) since_ms: Option<i64>,
    /// The subscription for which more is kept than the owner keeps by itself.
    pub(super) held_by: Option<String>,
}

/// Looks, now and then every minute, for as long as the feed is there.
pub(super) fn start(store: &Store, keep: Keep, feed: Weak<Served>) {
    let metrics = freehold_metrics::of(store.service());
    tokio::spawn(async move {
        let mut told: Option<String> = None;
        while let Some(store) = feed.upgrade().map(|served| served.store.clone()) {
            match sweep(&store, keep).await {
                Ok(kept) => {
                    show(&metrics.outbox, &kept, told.as_deref(), store.now());
                    told = kept.held_by;
                }
                Err(StoreError::Closed) => return,
                Err(error) => tracing::warn!(%error, "old events were not let go of"),
            }
            drop(store);
            tokio::time::sleep(PAUSE).await;
        }
    });
}

/// Lets go of what may go, a batch at a time, so that callers' units come in between; says what is left.
pub(super) async fn sweep(store: &Store, keep: Keep) -> Result<Kept, StoreError> {
    let before_ms = match keep {
        Keep::Everything => i64::MIN,
        Keep::AtLeast(time) => store.now().saturating_sub(millis(time)).saturating_add(1),
    };
    if keep != Keep::Everything {
        while let_go(store, before_ms).await? {}
    }
    look(store, before_ms, ALARM_BYTES).await
}

/// A batch in a unit of its own; answers whether there may be more.
async fn let_go(store: &Store, before_ms: i64) -> Result<bool, StoreError> {
    let context = Context::new(store.service(), BUDGET);
    let unit = async move |work: &mut Work| {
        let up_to = slowest(work).await?.map_or(i64::MAX, |(mark, _)| mark);
        outbox::purge(work, up_to, before_ms).await
    };
    let (more, _) = store.unit::<_, StoreError, _>(&context, unit).await?;
    Ok(more)
}

/// What is kept; `limit`: of more bytes than that it is said who holds them up.
pub(super) async fn look(store: &Store, before_ms: i64, limit: i64) -> Result<Kept, StoreError> {
    let mut read = store.read().await?;
    let (events, since_ms) = outbox::behind(store, &mut read, 0, i64::MAX).await?;
    let bytes = outbox::size(store, &mut read).await?;
    let too_old = since_ms.is_some_and(|since| since < before_ms);
    let held_by = match too_old {
        true => slowest(&mut read).await?.map(|(_, name)| name),
        false => held_by(store, &mut read, bytes, limit).await?,
    };
    Ok(Kept { events, bytes, since_ms, held_by })
}

/// The subscription that has acknowledged least, where so many bytes are too much and it is behind.
pub(crate) async fn held_by(
    store: &Store,
    queries: &mut impl Queries,
    bytes: i64,
    limit: i64,
) -> Result<Option<String>, StoreError> {
    if bytes <= limit {
        return Ok(None);
    }
    let Some((mark, name)) = slowest(queries).await? else { return Ok(None) };
    let (behind, _) = outbox::behind(store, queries, mark, 1).await?;
    Ok((behind > 0).then_some(name))
}

/// The subscription that has acknowledged least, and up to which mark.
async fn slowest(queries: &mut impl Queries) -> Result<Option<(i64, String)>, StoreError> {
    const SLOWEST: &str =
        "SELECT mark, subscription FROM freehold_subscription ORDER BY mark, subscription LIMIT 1";
    let row = queries.one(SLOWEST, vals![]).await?;
    row.map(|row| Ok((row.get("mark")?, row.get("subscription")?))).transpose()
}

/// Counts what is kept, and tells once of a subscription that holds it up.
fn show(outbox: &freehold_metrics::Outbox, kept: &Kept, told: Option<&str>, now: i64) {
    outbox.events.at([]).set(kept.events);
    outbox.bytes.at([]).set(kept.bytes);
    outbox.oldest.at([]).set(kept.since_ms.map_or(0, |since| (now - since).max(0) / 1000));
    if told == kept.held_by.as_deref() {
        return;
    }
    if let Some(before) = told {
        outbox.held.at([before.to_owned().into()]).set(0);
    }
    if let Some(subscription) = &kept.held_by {
        outbox.held.at([subscription.clone().into()]).set(1);
        let Kept { events, bytes, .. } = kept;
        tracing::warn!(
            subscription,
            events,
            bytes,
            "events are kept that only this subscription has not passed; `freehold events forget` gives it up"
        );
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
