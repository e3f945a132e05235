//! What becomes of locations that come in: which are kept, and how each leads to the one before it of the same driver.
//!
//! Tracks of all drivers grow at one end, in the order in which locations come in, so that a thousand drivers' locations
//! share pages. A driver's own are a chain through them, newest first, that is entered at its end or at the end of an hour.
//! Pure. **Invariant:** of a driver only locations are kept that are newer than all before them.

use std::collections::{BTreeMap, HashMap};

use crate::location::{Sighting, bucket};

/// What becomes of a location that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Kept,
    /// It is not newer than what is known of its driver.
    Refused,
    /// There is no such driver any more.
    Driverless,
}

/// The end of a driver's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The entry's id.
    pub(crate) id: i64,
    /// When the driver was there.
    pub(crate) time_ms: i64,
}

/// A location in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    /// The driver's entry before it, where there is one.
    pub(crate) previous: Option<i64>,
    pub(crate) seen: Sighting,
}

/// Where the chain of a driver is entered for an hour that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entrance {
    pub(crate) bucket: i64,
    pub(crate) driver: i64,
    pub(crate) id: i64,
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What becomes of each location, in the order in which they came in.
    pub(crate) fates: Vec<Fate>,
    /// By ascending id.
    pub(crate) entries: Vec<Entry>,
    pub(crate) entrances: Vec<Entrance>,
}

impl Plan {
    /// Plans for locations in the order in which they came in. `ends` has the drivers that there are, and where the chain
    /// of each ends; `last` is the last id that was given.
    pub(crate) fn of(sightings: &[Sighting], mut ends: HashMap<i64, Option<End>>, last: i64) -> Self {
        let (mut plan, mut id) = (Self::default(), last);
        for seen in sightings {
            let fate = match ends.get_mut(&seen.driver) {
                None => Fate::Driverless,
                Some(Some(end)) if end.time_ms >= seen.location.time_ms => Fate::Refused,
                Some(end) => {
                    id += 1;
                    plan.keep(id, *end, *seen);
                    *end = Some(End { id, time_ms: seen.location.time_ms });
                    Fate::Kept
                }
            };
            plan.fates.push(fate);
        }
        plan
    }

    fn keep(&mut self, id: i64, end: Option<End>, seen: Sighting) {
        let over = end.filter(|end| bucket(end.time_ms) != bucket(seen.location.time_ms));
        if let Some(End { id, time_ms }) = over {
            self.entrances.push(Entrance { bucket: bucket(time_ms), driver: seen.driver, id });
        }
        self.entries.push(Entry { id, previous: end.map(|end| end.id), seen });
    }

    /// The newest entry of each driver.
    pub(crate) fn newest(&self) -> Vec<Entry> {
        let newest: BTreeMap<i64, Entry> =
            self.entries.iter().map(|entry| (entry.seen.driver, *entry)).collect();
        newest.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    const HOUR: i64 = 3_600_000;

    fn seen(driver: i64, time_ms: i64) -> Sighting {
        let (latitude_e7, longitude_e7) = (525_200_000, 134_050_000);
        let location =
            Location { time_ms, latitude_e7, longitude_e7, heading_degrees: None, speed_cm_per_s: None };
        Sighting { driver, location }
    }

    fn end(id: i64, time_ms: i64) -> Option<End> {
        Some(End { id, time_ms })
    }

    #[test]
    fn of_a_driver_only_what_is_newer_is_kept() {
        let came = [(1, 10), (1, 10), (2, 5), (1, 9), (1, 11), (3, 1), (2, 6)].map(|(d, t)| seen(d, t));
        let plan = Plan::of(&came, HashMap::from([(1, end(7, 9)), (2, end(8, 5))]), 8);
        use Fate::{Driverless, Kept, Refused};
        assert_eq!(plan.fates, [Kept, Refused, Refused, Refused, Kept, Driverless, Kept]);
        let chains: Vec<_> = plan.entries.iter().map(|entry| (entry.id, entry.previous)).collect();
        assert_eq!(chains, [(9, Some(7)), (10, Some(9)), (11, Some(8))]);
        assert_eq!(plan.newest().iter().map(|entry| entry.id).collect::<Vec<_>>(), [10, 11]);
        assert_eq!(plan.entrances, []);
    }

    #[test]
    fn a_driver_without_a_location_takes_any_and_its_chain_begins() {
        let plan = Plan::of(&[seen(1, -5)], HashMap::from([(1, None)]), 41);
        assert_eq!(plan.entries, [Entry { id: 42, previous: None, seen: seen(1, -5) }]);
    }

    #[test]
    fn an_hour_that_is_over_leaves_an_entrance() {
        let came = [seen(1, HOUR - 1), seen(1, HOUR), seen(1, HOUR + 1), seen(1, 5 * HOUR)];
        let plan = Plan::of(&came, HashMap::from([(1, end(3, 0))]), 10);
        let entrance = |bucket, id| Entrance { bucket, driver: 1, id };
        assert_eq!(plan.entrances, [entrance(0, 11), entrance(1, 13)]);
    }

    /// Chains of many drivers at once: from its end each leads over all that was kept of its driver, and nothing else.
    /// Planted: a chain that stays where it was until the unit of work ends.
    #[test]
    fn every_chain_leads_over_what_was_kept_of_its_driver() {
        let (mut ends, mut entries, mut kept) =
            (HashMap::from_iter((0..5).map(|d| (d, None))), HashMap::new(), Vec::new());
        for round in 0..200_i64 {
            let came: Vec<_> =
                (0..7).map(|n| seen((round * 3 + n * n) % 5, round * 100 + n * 37 % 50)).collect();
            let plan = Plan::of(&came, ends.clone(), round * 7);
            for entry in &plan.entries {
                ends.insert(entry.seen.driver, end(entry.id, entry.seen.location.time_ms));
                kept.push(entry.seen);
                assert_eq!(entries.insert(entry.id, *entry), None);
            }
        }
        for (driver, end) in ends {
            let chain = std::iter::successors(end.map(|end| entries[&end.id]), |entry| {
                entry.previous.map(|previous| entries[&previous])
            });
            let chain: Vec<Sighting> = chain.map(|entry| entry.seen).collect();
            let expected: Vec<Sighting> =
                kept.iter().rev().filter(|seen| seen.driver == driver).copied().collect();
            assert_eq!(chain, expected);
            assert!(chain.is_sorted_by(|newer, older| newer.location.time_ms > older.location.time_ms));
        }
    }
}
