//! What a subscription does with an event that arrives: the order of a key, decided in plain code.
//!
//! In go what is known of the event's key and the event's version, out comes a verdict. The state lives in the
//! consumer's database and is read in the unit of work that acts on the verdict.
//! **Invariant:** per key, what is delivered is versions in order without a gap, each once.

/// What a subscription knows of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The last version whose effect was taken or that was skipped on record; it never expires.
    pub(crate) taken: Option<i64>,
    /// The first parked version, if any waits.
    pub(crate) parked: Option<i64>,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was taken before.
    Duplicate,
    /// It is the next of its key.
    Deliver,
    /// Another event of its key waits before it.
    Behind,
    /// A version before it has not arrived.
    Gap,
}

/// Judges an event.
///
/// `history`: the event is older than the subscription. The owner may have dropped superseded changes from there, so
/// versions ascend but need not be gapless, and the first one that is kept is the start.
pub(crate) fn judge(known: Known, version: i64, history: bool) -> Verdict {
    let next = known.taken.unwrap_or(0) + 1;
    if version < next {
        return Verdict::Duplicate;
    }
    let in_order = version == next || history;
    match known.parked {
        None if in_order => Verdict::Deliver,
        None => Verdict::Gap,
        Some(first) if version < first && in_order => Verdict::Deliver,
        Some(_) => Verdict::Behind,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn known(taken: i64, parked: Option<i64>) -> Known {
        Known { taken: (taken > 0).then_some(taken), parked }
    }

    /// E23: only the high-water decides, so a purge of anything else cannot bring an effect back.
    #[test]
    fn a_version_at_or_below_the_high_water_is_a_duplicate_for_ever() {
        for version in 1..=7 {
            assert_eq!(judge(known(7, None), version, false), Verdict::Duplicate);
            assert_eq!(judge(known(7, Some(9)), version, true), Verdict::Duplicate);
        }
    }

    /// E25: a later event does not overtake one that waits.
    #[test]
    fn a_later_event_waits_behind_a_parked_one() {
        assert_eq!(judge(known(1, Some(2)), 3, false), Verdict::Behind);
        assert_eq!(judge(known(1, Some(2)), 2, false), Verdict::Behind, "it waits already");
    }

    #[test]
    fn a_gap_is_held_and_the_missing_version_goes_first() {
        assert_eq!(judge(known(1, None), 3, false), Verdict::Gap);
        assert_eq!(judge(known(1, Some(3)), 2, false), Verdict::Deliver);
        assert_eq!(judge(known(0, None), 2, false), Verdict::Gap, "a new key begins at 1");
    }

    #[test]
    fn kept_history_may_begin_anywhere_and_skip() {
        assert_eq!(judge(known(0, None), 5, true), Verdict::Deliver);
        assert_eq!(judge(known(5, None), 9, true), Verdict::Deliver);
    }

    type Judge = fn(Known, i64, bool) -> Verdict;

    /// What a consumer does with the verdicts, as plain data: high-waters, parked versions, effects, failures to come.
    #[derive(Default)]
    struct Consumer {
        taken: BTreeMap<u8, i64>,
        parked: BTreeMap<u8, BTreeSet<i64>>,
        effects: Vec<(u8, i64)>,
        failures: BTreeMap<(u8, i64), u8>,
    }

    impl Consumer {
        fn known(&self, key: u8) -> Known {
            let parked = self.parked.get(&key).and_then(|versions| versions.first().copied());
            Known { taken: self.taken.get(&key).copied(), parked }
        }

        fn arrive(&mut self, judge: Judge, key: u8, version: i64) {
            let parks = match judge(self.known(key), version, false) {
                Verdict::Duplicate => false,
                Verdict::Deliver => !self.take(key, version),
                Verdict::Behind | Verdict::Gap => true,
            };
            if parks {
                self.parked.entry(key).or_default().insert(version);
            }
        }

        fn take(&mut self, key: u8, version: i64) -> bool {
            if let Some(left @ 1..) = self.failures.get_mut(&(key, version)) {
                *left -= 1;
                return false;
            }
            self.taken.insert(key, version);
            self.effects.push((key, version));
            true
        }

        /// One attempt at the first parked event of a key.
        fn retry(&mut self, judge: Judge, key: u8) {
            let Some(first) = self.known(key).parked else { return };
            let alone = Known { parked: None, ..self.known(key) };
            let done = match judge(alone, first, false) {
                Verdict::Deliver => self.take(key, first),
                Verdict::Duplicate => true,
                Verdict::Behind | Verdict::Gap => false,
            };
            if done {
                self.parked.entry(key).or_default().remove(&first);
            }
        }
    }

    /// Runs a damaged stream, then the whole one as a fetch from the oldest kept event gives it, then the retries.
    fn run(judge: Judge, arrivals: &[(u8, i64)], failures: &[((u8, i64), u8)]) -> Vec<(u8, i64)> {
        let mut consumer = Consumer { failures: failures.iter().copied().collect(), ..Consumer::default() };
        let whole = (1..=6).flat_map(|version| (0..4).map(move |key| (key, version)));
        for (key, version) in arrivals.iter().copied().chain(whole) {
            consumer.arrive(judge, key, version);
            consumer.retry(judge, (key + 1) % 4);
        }
        for round in 0..100 {
            consumer.retry(judge, round % 4);
        }
        consumer.effects
    }

    fn is_once_in_order(effects: &[(u8, i64)]) -> bool {
        (0..4).all(|key| {
            let versions = effects.iter().filter(|effect| effect.0 == key).map(|effect| effect.1);
            versions.eq(1..=6)
        })
    }

    proptest! {
        /// E25: shuffled, duplicated, with holes, and with reactions that fail a few times.
        #[test]
        fn whatever_arrives_every_effect_is_taken_once_and_in_order(
            arrivals in prop::collection::vec((0..4_u8, 1..=6_i64), 0..60),
            failures in prop::collection::vec(((0..4_u8, 1..=6_i64), 1..4_u8), 0..6),
        ) {
            prop_assert!(is_once_in_order(&run(judge, &arrivals, &failures)));
        }
    }

    #[test]
    fn planted_bugs_are_seen_by_the_oracle() {
        fn skips_gaps(known: Known, version: i64, _: bool) -> Verdict {
            judge(known, version, true)
        }
        fn overtakes(known: Known, version: i64, _: bool) -> Verdict {
            judge(Known { parked: None, ..known }, version, true)
        }
        fn forgets(known: Known, version: i64, _: bool) -> Verdict {
            judge(Known { taken: None, ..known }, version, true)
        }
        assert!(!is_once_in_order(&run(skips_gaps, &[(0, 2)], &[])), "a gap was skipped");
        assert!(!is_once_in_order(&run(overtakes, &[], &[((0, 1), 5)])), "a failing event was overtaken");
        assert!(!is_once_in_order(&run(forgets, &[(0, 1)], &[])), "a redelivery took effect again");
    }
}
