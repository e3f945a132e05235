//! The high-waters of a batch: its keys are locked together before the first of its events, and what was reached is
//! written together behind the last.
//!
//! On PostgreSQL that is two round trips for a batch instead of two for each event. Until it is written the database has
//! what was before. **Invariant:** whatever else looks at a key's high-water in the unit comes after [`HighWaters::write`].

use std::collections::{BTreeMap, BTreeSet};

use freehold_store::{StoreError, Work, inbox};
use freehold_wire::pb::Envelope;

/// A key: its entity, and the key.
type Name<'a> = (&'a str, &'a str);

/// The high-waters of the keys of some events in one unit of work.
pub(super) struct HighWaters<'a> {
    subscription: &'a str,
    versions: BTreeMap<Name<'a>, i64>,
    /// The keys that have gone on since they were written.
    moved: BTreeSet<Name<'a>>,
}

impl<'a> HighWaters<'a> {
    /// Those of the events' keys, which no other unit takes in until this one ends.
    pub(super) async fn lock(
        work: &mut Work,
        subscription: &'a str,
        events: impl Iterator<Item = &'a Envelope>,
    ) -> Result<Self, StoreError> {
        let keys: Vec<Name<'a>> = events.map(name).collect::<BTreeSet<_>>().into_iter().collect();
        let versions = inbox::lock_all(work, subscription, &keys).await?;
        Ok(Self { subscription, versions: keys.into_iter().zip(versions).collect(), moved: BTreeSet::new() })
    }

    /// The last version of an event's key whose effect was taken; `None` where there is none.
    pub(super) fn of(&self, event: &'a Envelope) -> Option<i64> {
        self.versions.get(&name(event)).copied().filter(|version| *version > 0)
    }

    /// An event's effect was taken.
    pub(super) fn advance(&mut self, event: &'a Envelope) {
        self.versions.insert(name(event), event.version);
        self.moved.insert(name(event));
    }

    /// Writes what was reached.
    pub(super) async fn write(&mut self, work: &mut Work) -> Result<(), StoreError> {
        let moved = std::mem::take(&mut self.moved);
        let reached: Vec<_> =
            moved.into_iter().filter_map(|key| Some((key.0, key.1, *self.versions.get(&key)?))).collect();
        inbox::advance_all(work, self.subscription, &reached).await
    }
}

fn name(event: &Envelope) -> Name<'_> {
    (&event.entity, &event.subject)
}
