//! Parked events, in the consumer's database: the tail of a key behind an event that fails or has not arrived.
//!
//! Per key the first row says what it waits for, the others are behind it. Rows are written, claimed and released in
//! units of work only. A tombstone takes the data of the parked changes before it (`superseded`), and a change without
//! data is due at once, to be passed over. **Invariant:** an event is in this table or its effect was taken or it was
//! skipped on record; never two of these.

use freehold_store::{Queries, Row, StoreError, Work, inbox, vals};
use freehold_wire::pb::Envelope;
use prost::Message;

use crate::inbox::{Known, Verdict, judge};
use crate::superseded;

/// A query of parked events, to be read by [`read`].
macro_rules! events {
    ($which:literal) => {
        concat!(
            "SELECT envelope, state, attempts, unanswered, parked_ms, tried_ms, reason FROM freehold_parked WHERE ",
            $which
        )
    };
}
pub(crate) use events;

/// What the first event of a parked key waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parking {
    /// An event of its key before it.
    Behind,
    /// Its next attempt.
    Waiting,
    /// A version before it that has not arrived.
    Gap,
    /// Somebody who redrives or skips it.
    Dead,
}

impl Parking {
    /// As it stands in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::Waiting => "waiting",
            Self::Gap => "gap",
            Self::Dead => "dead",
        }
    }

    pub(crate) fn of(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Behind, Self::Waiting, Self::Gap, Self::Dead];
        let unknown = || StoreError::Decode { column: "state".to_owned(), problem: format!("is `{name}`") };
        all.into_iter().find(|state| state.name() == name).ok_or_else(unknown)
    }
}

/// Why an event is held before a gap.
pub(crate) const MISSING: &str = "a version before it has not arrived";

/// A key of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) subscription: &'a str,
    pub(crate) entity: &'a str,
    pub(crate) key: &'a str,
}

impl<'a> Key<'a> {
    pub(crate) fn of(subscription: &'a str, event: &'a Envelope) -> Self {
        Self { subscription, entity: &event.entity, key: &event.subject }
    }
}

/// A parked event that is first in its key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct First {
    pub(crate) event: Envelope,
    pub(crate) state: Parking,
    pub(crate) attempts: u32,
    pub(crate) unanswered: u32,
    pub(crate) parked_ms: i64,
    /// When it was tried first.
    pub(crate) tried_ms: i64,
    pub(crate) reason: String,
}

/// How an event comes to be parked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stay {
    pub(crate) state: Parking,
    pub(crate) attempts: u32,
    pub(crate) unanswered: u32,
    pub(crate) next_ms: i64,
    pub(crate) reason: String,
}

impl Stay {
    /// Without an attempt so far.
    pub(crate) fn held(state: Parking, reason: &str) -> Self {
        Self { state, attempts: 0, unanswered: 0, next_ms: 0, reason: reason.to_owned() }
    }
}

/// Whether any event of the subscription is parked.
pub(crate) async fn any(queries: &mut impl Queries, subscription: &str) -> Result<bool, StoreError> {
    const ANY: &str = "SELECT version FROM freehold_parked WHERE subscription = $1 LIMIT 1";
    Ok(queries.one(ANY, vals![subscription]).await?.is_some())
}

/// The first parked event of a key.
pub(crate) async fn first(queries: &mut impl Queries, key: Key<'_>) -> Result<Option<First>, StoreError> {
    const FIRST: &str = events!("subscription = $1 AND entity = $2 AND key = $3 ORDER BY version LIMIT 1");
    let row = queries.one(FIRST, vals![key.subscription, key.entity, key.key]).await?;
    row.as_ref().map(read).transpose()
}

/// The version of the first parked event of a key.
pub(crate) async fn first_version(
    queries: &mut impl Queries,
    key: Key<'_>,
) -> Result<Option<i64>, StoreError> {
    const FIRST: &str = "SELECT min(version) AS version FROM freehold_parked \
                         WHERE subscription = $1 AND entity = $2 AND key = $3";
    let row = queries.one(FIRST, vals![key.subscription, key.entity, key.key]).await?;
    row.map_or(Ok(None), |row| row.get("version"))
}

/// Parks an event; one that is parked already stays as it is. Changes that a tombstone has superseded lose their data,
/// so a key whose tombstone parks is to be arranged.
pub(crate) async fn park(
    work: &mut Work,
    subscription: &str,
    event: &Envelope,
    stay: Stay,
) -> Result<(), StoreError> {
    const PARK: &str = "INSERT INTO freehold_parked (subscription, entity, key, version, envelope, state, attempts, \
                        unanswered, next_ms, parked_ms, tried_ms, reason) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) \
                        ON CONFLICT (subscription, entity, key, version) DO NOTHING";
    let Stay { state, attempts, unanswered, next_ms, reason } = stay;
    let (bytes, now) = (event.encode_to_vec(), work.now());
    let values = vals![
        subscription,
        &event.entity,
        &event.subject,
        event.version,
        bytes,
        state.name(),
        attempts,
        unanswered,
        next_ms,
        now,
        reason,
    ];
    if work.exec(PARK, values).await? == 0 {
        return Ok(());
    }
    superseded::empty(work, Key::of(subscription, event), event).await
}

/// The event that has been due longest.
pub(crate) async fn due(
    queries: &mut impl Queries,
    subscription: &str,
    now: i64,
) -> Result<Option<First>, StoreError> {
    const DUE: &str =
        events!("subscription = $1 AND state = 'waiting' AND next_ms <= $2 ORDER BY next_ms LIMIT 1");
    let row = queries.one(DUE, vals![subscription, now]).await?;
    row.as_ref().map(read).transpose()
}

/// When the next event is due; `None` where nothing waits for an attempt.
pub(crate) async fn next_due(
    queries: &mut impl Queries,
    subscription: &str,
) -> Result<Option<i64>, StoreError> {
    const NEXT: &str = "SELECT min(next_ms) AS next_ms FROM freehold_parked \
                        WHERE subscription = $1 AND state = 'waiting'";
    let row = queries.one(NEXT, vals![subscription]).await?;
    row.map_or(Ok(None), |row| row.get("next_ms"))
}

/// Lets nothing wait for an attempt beyond a time.
pub(crate) async fn wait_no_longer(
    work: &mut Work,
    subscription: &str,
    latest_ms: i64,
) -> Result<(), StoreError> {
    const NO_LONGER: &str = "UPDATE freehold_parked SET next_ms = $2 \
                             WHERE subscription = $1 AND state = 'waiting' AND next_ms > $2";
    work.exec(NO_LONGER, vals![subscription, latest_ms]).await.map(drop)
}

/// How many keys wait.
pub(crate) async fn keys(queries: &mut impl Queries, subscription: &str) -> Result<i64, StoreError> {
    const KEYS: &str = "SELECT count(*) AS keys FROM freehold_parked \
                        WHERE subscription = $1 AND state <> 'behind'";
    let row = queries.one(KEYS, vals![subscription]).await?;
    row.map_or(Ok(0), |row| row.get("keys"))
}

/// The first events that are held before a gap.
pub(crate) async fn gaps(queries: &mut impl Queries, subscription: &str) -> Result<Vec<First>, StoreError> {
    const GAPS: &str = events!("subscription = $1 AND state = 'gap' ORDER BY parked_ms LIMIT 100");
    let rows = queries.all(GAPS, vals![subscription]).await?;
    rows.iter().map(read).collect()
}

/// Counts an attempt before it begins and puts the event off until `next_ms`, should nobody come back to it; answers the
/// event as it is tried, `None` where somebody else took it.
pub(crate) async fn claim(
    work: &mut Work,
    key: Key<'_>,
    first: &First,
    next_ms: i64,
) -> Result<Option<First>, StoreError> {
    const CLAIM: &str = "UPDATE freehold_parked SET attempts = attempts + 1, unanswered = unanswered + 1, \
                         next_ms = $6, tried_ms = $7 WHERE subscription = $1 AND entity = $2 AND key = $3 \
                         AND version = $4 AND state = 'waiting' AND attempts = $5";
    let tried_ms = if first.attempts == 0 { work.now() } else { first.tried_ms };
    let version = first.event.version;
    let values = vals![key.subscription, key.entity, key.key, version, first.attempts, next_ms, tried_ms];
    let claimed = work.exec(CLAIM, values).await? == 1;
    let (attempts, unanswered) = (first.attempts.saturating_add(1), first.unanswered.saturating_add(1));
    Ok(claimed.then(|| First { attempts, unanswered, tried_ms, ..first.clone() }))
}

/// Takes back what the last claim counted against the event. Like a claim it changes no row's size: it has room where a
/// claim had.
pub(crate) async fn uncount(
    work: &mut Work,
    key: Key<'_>,
    claimed: &First,
    next_ms: i64,
) -> Result<(), StoreError> {
    const UNCOUNT: &str = "UPDATE freehold_parked SET unanswered = unanswered - 1, next_ms = $6 WHERE subscription = $1 \
                           AND entity = $2 AND key = $3 AND version = $4 AND state = 'waiting' AND attempts = $5";
    let values =
        vals![key.subscription, key.entity, key.key, claimed.event.version, claimed.attempts, next_ms];
    work.exec(UNCOUNT, values).await.map(drop)
}

/// Writes how a parked event stands now.
pub(crate) async fn set(work: &mut Work, key: Key<'_>, version: i64, stay: Stay) -> Result<(), StoreError> {
    const SET: &str = "UPDATE freehold_parked SET state = $5, attempts = $6, unanswered = $7, next_ms = $8, \
                       reason = $9 WHERE subscription = $1 AND entity = $2 AND key = $3 AND version = $4";
    let Stay { state, attempts, unanswered, next_ms, reason } = stay;
    let values = vals![
        key.subscription,
        key.entity,
        key.key,
        version,
        state.name(),
        attempts,
        unanswered,
        next_ms,
        reason,
    ];
    work.exec(SET, values).await.map(drop)
}

/// Takes an event out; `false` where it is no longer there.
pub(crate) async fn remove(work: &mut Work, key: Key<'_>, version: i64) -> Result<bool, StoreError> {
    const REMOVE: &str =
        "DELETE FROM freehold_parked WHERE subscription = $1 AND entity = $2 AND key = $3 AND version = $4";
    Ok(work.exec(REMOVE, vals![key.subscription, key.entity, key.key, version]).await? == 1)
}

/// Writes on record what was decided about a parked event, and by whom.
pub(crate) async fn log(
    work: &mut Work,
    key: Key<'_>,
    version: i64,
    (action, who, reason): (&str, &str, &str),
) -> Result<(), StoreError> {
    const LOG: &str = "INSERT INTO freehold_parked_log \
                       (subscription, entity, key, version, action, who, reason, at_ms) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let now = work.now();
    let values = vals![key.subscription, key.entity, key.key, version, action, who, reason, now];
    work.exec(LOG, values).await.map(drop)
}

/// Puts a key's rows in order after one came or went: the first one is due, held or dead, all others are behind it.
/// A first one whose version was taken meanwhile is discarded, on record; an empty change is due, as nobody has to decide
/// about what is no longer known.
pub(crate) async fn arrange(work: &mut Work, key: Key<'_>, origin: i64) -> Result<(), StoreError> {
    const BEHIND: &str = "UPDATE freehold_parked SET state = 'behind' WHERE subscription = $1 AND entity = $2 \
                          AND key = $3 AND version > $4 AND state <> 'behind'";
    while let Some(head) = first(work, key).await? {
        let taken = inbox::lock(work, key.subscription, key.entity, key.key).await?;
        let version = head.event.version;
        work.exec(BEHIND, vals![key.subscription, key.entity, key.key, version]).await?;
        let known = Known { taken: (taken > 0).then_some(taken), parked: None };
        let now = work.now();
        match judge(known, version, is_history(&head.event, origin)) {
            Verdict::Duplicate => {
                remove(work, key, version).await?;
                log(work, key, version, ("discarded", "", "a newer version was taken")).await?;
                continue;
            }
            Verdict::Deliver
                if matches!(head.state, Parking::Behind | Parking::Gap)
                    || superseded::is_empty_change(&head.event) =>
            {
                let stay = Stay { next_ms: now, ..Stay::held(Parking::Waiting, "") };
                set(work, key, version, stay).await?;
            }
            Verdict::Gap | Verdict::Behind if matches!(head.state, Parking::Behind | Parking::Waiting) => {
                set(work, key, version, Stay::held(Parking::Gap, MISSING)).await?;
            }
            _ => {}
        }
        return Ok(());
    }
    Ok(())
}

/// Whether an event is older than the subscription, whose owner's head was at `origin` when it began.
pub(crate) fn is_history(event: &Envelope, origin: i64) -> bool {
    event.position.as_ref().is_some_and(|position| position.mark <= origin)
}

/// A parked event of a row.
pub(crate) fn read(row: &Row) -> Result<First, StoreError> {
    let damaged = |_| StoreError::Decode { column: "envelope".to_owned(), problem: "is damaged".to_owned() };
    Ok(First {
        event: Envelope::decode(row.get::<Vec<u8>>("envelope")?.as_slice()).map_err(damaged)?,
        state: Parking::of(&row.get::<String>("state")?)?,
        attempts: count(row, "attempts")?,
        unanswered: count(row, "unanswered")?,
        parked_ms: row.get("parked_ms")?,
        tried_ms: row.get("tried_ms")?,
        reason: row.get("reason")?,
    })
}

fn count(row: &Row, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.get::<i64>(column)?).unwrap_or(u32::MAX))
}
