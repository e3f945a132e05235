//! What a copy does with a version that comes in: decided in plain code.
//!
//! A snapshot's rows may come at any version and the higher one wins; a feed's events come gapless, or something is
//! missing. **Invariant:** per key the version of a copy only grows, and a tombstone stays until a higher version.

/// Where a version comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A row of a snapshot: the key as it stands.
    Snapshot,
    /// An event of the feed: one step of the key.
    Feed,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The copy has it, or something newer.
    Known,
    /// It is next.
    Apply,
    /// A version before it has not come.
    Gap,
}

/// Judges a version of a key that stands at `stands`; 0: never seen.
pub(crate) fn judge(stands: i64, version: i64, source: Source) -> Verdict {
    match source {
        _ if version <= stands => Verdict::Known,
        Source::Feed if version > stands + 1 => Verdict::Gap,
        Source::Feed | Source::Snapshot => Verdict::Apply,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A key's history: at each version a value, or deleted.
    type History = Vec<Option<u8>>;

    /// A copy as plain data: the version and the value of each key.
    #[derive(Debug, Clone, Default, PartialEq)]
    struct Copy(BTreeMap<usize, (i64, Option<u8>)>);

    type Judge = fn(i64, i64, Source) -> Verdict;

    impl Copy {
        fn receive(
            &mut self,
            judge: Judge,
            key: usize,
            version: i64,
            value: Option<u8>,
            source: Source,
        ) -> Verdict {
            let stands = self.0.get(&key).map_or(0, |row| row.0);
            let verdict = judge(stands, version, source);
            if verdict == Verdict::Apply {
                self.0.insert(key, (version, value));
            }
            verdict
        }
    }

    fn as_owned(histories: &[History]) -> Copy {
        let last = |history: &History| (i64::try_from(history.len()).unwrap(), *history.last().unwrap());
        Copy(histories.iter().map(last).enumerate().collect())
    }

    fn at(history: &History, version: i64) -> Option<u8> {
        history[usize::try_from(version).unwrap() - 1]
    }

    /// Snapshot rows at any version, in any order, then damaged events, then all events from the start as a fetch from
    /// the position before the snapshot gives them.
    fn run(judge: Judge, histories: &[History], rows: &[(usize, i64)], events: &[(usize, i64)]) -> Copy {
        let mut copy = Copy::default();
        let fit = |&(key, version): &(usize, i64)| {
            let key = key % histories.len();
            (key, version.min(i64::try_from(histories[key].len()).unwrap()))
        };
        for (key, version) in rows.iter().map(fit) {
            copy.receive(judge, key, version, at(&histories[key], version), Source::Snapshot);
        }
        for (key, version) in events.iter().map(fit) {
            copy.receive(judge, key, version, at(&histories[key], version), Source::Feed);
        }
        for (key, history) in histories.iter().enumerate() {
            for (version, value) in (1..).zip(history) {
                let verdict = copy.receive(judge, key, version, *value, Source::Feed);
                assert_ne!(verdict, Verdict::Gap, "the whole stream has no gap");
            }
        }
        copy
    }

    fn histories() -> impl Strategy<Value = Vec<History>> {
        prop::collection::vec(prop::collection::vec(any::<Option<u8>>(), 1..8), 1..4)
    }

    fn steps() -> impl Strategy<Value = Vec<(usize, i64)>> {
        prop::collection::vec((0..4_usize, 1..8_i64), 0..40)
    }

    proptest! {
        /// R1, R2, R3: shuffled, duplicated, with holes; deleted stays deleted; comes back with a higher version only.
        #[test]
        fn whatever_comes_in_the_copy_ends_as_its_owner(histories in histories(), rows in steps(), events in steps()) {
            prop_assert_eq!(run(judge, &histories, &rows, &events), as_owned(&histories));
        }

        #[test]
        fn a_key_never_goes_back(histories in histories(), rows in steps(), events in steps()) {
            let mut copy = Copy::default();
            let both = rows.iter().map(|row| (row, Source::Snapshot)).chain(events.iter().map(|event| (event, Source::Feed)));
            for (&(key, version), source) in both {
                let before = copy.0.get(&key).map_or(0, |row| row.0);
                copy.receive(judge, key, version, None, source);
                prop_assert!(copy.0.get(&key).map_or(0, |row| row.0) >= before);
            }
            let _ = histories;
        }
    }

    /// R3: an event behind a hole is held.
    #[test]
    fn a_gap_is_seen_and_held() {
        assert_eq!(judge(3, 5, Source::Feed), Verdict::Gap);
        assert_eq!(judge(0, 2, Source::Feed), Verdict::Gap, "a new key begins at 1");
        assert_eq!(judge(3, 5, Source::Snapshot), Verdict::Apply);
    }

    #[test]
    fn planted_bugs_are_seen_by_the_oracle() {
        fn last_one_wins(_: i64, _: i64, _: Source) -> Verdict {
            Verdict::Apply
        }
        fn skips_gaps(stands: i64, version: i64, _: Source) -> Verdict {
            judge(stands, version, Source::Snapshot)
        }
        let histories = [vec![Some(1), None, Some(3), None]];
        let mut late = Copy::default();
        late.receive(last_one_wins, 0, 4, None, Source::Snapshot);
        late.receive(last_one_wins, 0, 3, Some(3), Source::Feed);
        assert_ne!(late, as_owned(&histories), "a late update brought a deleted key back");
        assert_eq!(skips_gaps(1, 3, Source::Feed), Verdict::Apply);
        assert_eq!(judge(1, 3, Source::Feed), Verdict::Gap, "a hole would have been claimed as applied");
    }
}
