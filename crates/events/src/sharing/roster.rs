//! Which of the other instances are taken for dead; decided in plain code.
//!
//! Each instance counts up its own row, and an observer measures by its own clock for how long a count has stood still: no
//! clock is compared with another one, and none that can be set is read (source: Gray and Cheriton, "Leases", SOSP 1989,
//! with the term at the observer). **Invariant:** between the two looks that make an instance dead lies the whole lease,
//! and it has shown nothing in between. That it is so only frees its shares: the fence is what makes it safe.

use std::collections::BTreeMap;
use std::time::Duration;

use super::division::{Dead, Portion};

/// What one instance has seen of the others.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Each with its last beat, and since when it has been that one.
    seen: BTreeMap<String, (i64, Duration)>,
}

/// When a look at the rows began and when it had been answered, by a clock that only goes forward.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looked {
    pub(crate) asked: Duration,
    pub(crate) answered: Duration,
}

impl Roster {
    /// Notes what was seen; answers who has not beaten for the whole lease.
    pub(crate) fn look(&mut self, me: &str, portions: &[Portion], lease: Duration, looked: Looked) -> Dead {
        let others = || portions.iter().filter(|portion| portion.holder != me);
        self.seen.retain(|holder, _| others().any(|portion| portion.holder == *holder));
        let mut dead = Dead::new();
        for Portion { holder, beat, .. } in others() {
            match self.seen.get(holder) {
                Some((last, since)) if last == beat => {
                    if looked.asked.saturating_sub(*since) >= lease {
                        dead.insert(holder.clone(), *beat);
                    }
                }
                _ => drop(self.seen.insert(holder.clone(), (*beat, looked.answered))),
            }
        }
        dead
    }
}

#[cfg(test)]
mod tests {
    use freehold_wire::Shares;
    use freehold_wire::pb::Position;

    use super::*;

    const LEASE: Duration = Duration::from_secs(4);

    fn look(roster: &mut Roster, beat: i64, (asked, answered): (u64, u64)) -> bool {
        let (holder, shares, position) = ("b".to_owned(), Shares::ALL, Position::default());
        let portion = Portion { holder, shares, fence: 1, beat, position, starts: 0 };
        let looked = Looked { asked: Duration::from_secs(asked), answered: Duration::from_secs(answered) };
        !roster.look("a", &[portion], LEASE, looked).is_empty()
    }

    #[test]
    fn a_beat_that_stands_still_for_the_lease_means_death() {
        let mut roster = Roster::default();
        assert!(!look(&mut roster, 1, (0, 0)));
        assert!(!look(&mut roster, 1, (3, 3)));
        assert!(look(&mut roster, 1, (4, 4)));
        assert!(!look(&mut roster, 2, (5, 5)), "it lives");
        assert!(!look(&mut roster, 2, (8, 8)));
    }

    /// The planted bug measures from when the look began, or to when it ended.
    #[test]
    fn an_observer_that_stood_still_in_a_look_counts_none_of_that() {
        let mut roster = Roster::default();
        assert!(!look(&mut roster, 1, (0, 100)));
        assert!(!look(&mut roster, 1, (101, 200)), "one second passed between what it saw and what it asked");
        assert!(look(&mut roster, 1, (201, 201)));
    }
}
