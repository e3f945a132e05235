//! Parked changes that a tombstone of their key has superseded: they keep their headers and lose their data.
//!
//! A tombstone may be an erasure, so what it deletes must not stay here until somebody decides about a dead letter. A
//! change without data has no reaction: its version is taken, and the tombstone behind it says all. Parked events that
//! are no changes stay as they are: by the contract no personal data is in them. **Invariant:** no parked change that
//! has a parked tombstone of its key behind it has data, in whichever order the two came.

use std::ops::RangeInclusive;

use freehold_store::{Queries, StoreError, Work, vals};
use freehold_wire::pb::Envelope;
use prost::Message;

use crate::parked::{self, First, Key, Parking};

const ALL: usize = usize::MAX;

/// Why a parked change has no data.
const ERASED: &str = "a tombstone of its key waits behind it";

/// How many are emptied in a unit: each takes some statements.
const PAGE: usize = 50;

/// Empties a page of the changes before a tombstone that may be about to park, from a version on; answers where the next
/// page begins. A key's tail has no bound, the time of a unit has.
pub(crate) async fn empty_page(
    work: &mut Work,
    key: Key<'_>,
    versions: RangeInclusive<i64>,
) -> Result<Option<i64>, StoreError> {
    let page = within(work, key, versions, PAGE).await?;
    let next = page.get(PAGE - 1).map(|last| last.event.version + 1);
    empty_all(work, key, page).await?;
    Ok(next)
}

/// Empties what is superseded now that `event` has parked: the changes before a tombstone, or the change itself.
pub(crate) async fn empty(work: &mut Work, key: Key<'_>, event: &Envelope) -> Result<(), StoreError> {
    let version = event.version;
    let superseded = if event.deleted {
        within(work, key, 1..=version - 1, ALL).await?
    } else if is_change(event) && tombstone_after(work, key, version).await? {
        within(work, key, version..=version, ALL).await?
    } else {
        return Ok(());
    };
    empty_all(work, key, superseded).await
}

async fn empty_all(work: &mut Work, key: Key<'_>, superseded: Vec<First>) -> Result<(), StoreError> {
    for parked in superseded {
        if is_change(&parked.event) && parked.event.data.is_some() {
            empty_one(work, key, parked).await?;
        }
    }
    Ok(())
}

/// Whether an event is a change that lost its data, here or at its owner.
pub(crate) fn is_empty_change(event: &Envelope) -> bool {
    is_change(event) && event.data.is_none()
}

/// A change has the type of its entity.
fn is_change(event: &Envelope) -> bool {
    event.r#type == event.entity && !event.deleted
}

/// Takes the data, and what failed attempts said, which may quote it.
async fn empty_one(work: &mut Work, key: Key<'_>, parked: First) -> Result<(), StoreError> {
    const EMPTY: &str = "UPDATE freehold_parked SET envelope = $5, reason = $6 \
                         WHERE subscription = $1 AND entity = $2 AND key = $3 AND version = $4";
    const UNSAY: &str = "UPDATE freehold_parked_log SET reason = '' \
                         WHERE subscription = $1 AND entity = $2 AND key = $3 AND version = $4";
    let version = parked.event.version;
    // One that waits for a version before it has not been tried: it has to go on saying what it waits for.
    let reason = if waits_for_another(&parked) { parked.reason } else { String::new() };
    let mut bare = parked.event;
    bare.data = None;
    bare.dataschema.clear();
    let values = vals![key.subscription, key.entity, key.key, version, bare.encode_to_vec(), &reason];
    work.exec(EMPTY, values).await?;
    if reason.is_empty() {
        work.exec(UNSAY, vals![key.subscription, key.entity, key.key, version]).await?;
    }
    parked::log(work, key, version, ("emptied", "", ERASED)).await
}

fn waits_for_another(parked: &First) -> bool {
    parked.state == Parking::Gap || (parked.state == Parking::Dead && parked.attempts == 0)
}

async fn tombstone_after(work: &mut Work, key: Key<'_>, version: i64) -> Result<bool, StoreError> {
    let later = within(work, key, version + 1..=i64::MAX, ALL).await?;
    Ok(later.iter().any(|parked| parked.event.deleted))
}

/// The first parked events of a key with these versions.
async fn within(
    work: &mut Work,
    key: Key<'_>,
    versions: RangeInclusive<i64>,
    most: usize,
) -> Result<Vec<First>, StoreError> {
    const WITHIN: &str = parked::events!(
        "subscription = $1 AND entity = $2 AND key = $3 AND version BETWEEN $4 AND $5 ORDER BY version LIMIT $6"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values = vals![key.subscription, key.entity, key.key, *versions.start(), *versions.end(), most];
    work.all(WITHIN, values).await?.iter().map(parked::read).collect()
}
