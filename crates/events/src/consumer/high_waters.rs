//! The high-waters of a batch: its keys are locked together before the first of its events, and what was reached is
//! written together behind the last.
//!
//! On PostgreSQL that is two round trips for a batch instead of two for each event. Until it is written the database has
//! what was before. **Invariant:** whatever else looks at a key's high-water in the unit comes after [`HighWaters::write`].

use std::collections::BTreeMap;

use freehold_store::inbox::{self, Key, Step};
use freehold_store::{StoreError, Work};
use freehold_wire::pb::Envelope;

/// A key: its entity, and the key.
type Name<'a> = (&'a str, &'a str);

/// How far a key has come, in the database and in the unit.
struct Water {
    written: i64,
    reached: i64,
}

/// The high-waters of the keys of some events in one unit of work.
pub(super) struct HighWaters<'a> {
    subscription: &'a str,
    waters: BTreeMap<Name<'a>, Water>,
}

impl<'a> HighWaters<'a> {
    /// Those of the events' keys, which no other unit takes in until this one ends.
    pub(super) async fn lock(
        work: &mut Work,
        subscription: &'a str,
        events: impl Iterator<Item = &'a Envelope>,
    ) -> Result<Self, StoreError> {
        let mut firsts = BTreeMap::new();
        events.for_each(|event| _ = firsts.entry(name(event)).or_insert(event.version));
        // What comes in its order is the first that is missing.
        let key = |((entity, key), first): (&Name<'a>, &i64)| Key { entity, key, likely: first - 1 };
        let keys: Vec<_> = firsts.iter().map(key).collect();
        let versions = inbox::lock_all(work, subscription, &keys).await?;
        let waters = versions.into_iter().map(|version| Water { written: version, reached: version });
        Ok(Self { subscription, waters: firsts.into_keys().zip(waters).collect() })
    }

    /// The last version of an event's key whose effect was taken; `None` where there is none.
    pub(super) fn of(&self, event: &'a Envelope) -> Option<i64> {
        self.waters.get(&name(event)).map(|water| water.reached).filter(|version| *version > 0)
    }

    /// An event's effect was taken.
    pub(super) fn advance(&mut self, event: &'a Envelope) {
        if let Some(water) = self.waters.get_mut(&name(event)) {
            water.reached = event.version;
        }
    }

    /// Writes what was reached.
    pub(super) async fn write(&mut self, work: &mut Work) -> Result<(), StoreError> {
        let moved = self.waters.iter().filter(|(_, water)| water.reached > water.written);
        let steps: Vec<_> = moved
            .map(|((entity, key), water)| Step { entity, key, before: water.written, version: water.reached })
            .collect();
        inbox::advance_all(work, self.subscription, &steps).await?;
        self.waters.values_mut().for_each(|water| water.written = water.reached);
        Ok(())
    }
}

fn name(event: &Envelope) -> Name<'_> {
    (&event.entity, &event.subject)
}
