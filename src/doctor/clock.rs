//! The clock: events carry its time, and a copy's age is told by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::doctor::verdict::Verdict;

/// The first of January 2026, in milliseconds since 1970: no program of ours is older.
const FLOOR: i64 = 1_767_225_600_000;
/// Clocks of one machine differ by less.
const TOLERANCE: i64 = 60_000;

/// The time now, and that of the newest event in the databases, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) now: i64,
    pub(crate) newest: Option<i64>,
}

/// The clock as it is now.
pub(crate) fn look(newest: Option<i64>) -> Seen {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Seen { now: i64::try_from(since.as_millis()).unwrap_or(i64::MAX), newest }
}

/// Whether its time can be.
pub(crate) fn check(seen: &Seen) -> Verdict {
    let ahead = seen.newest.map_or(0, |newest| newest.saturating_sub(seen.now));
    if seen.now < FLOOR {
        let advice = "set it: events would carry a time before there was a mesh";
        return Verdict::wrong("clock", "it is before 2026", advice);
    }
    if ahead > TOLERANCE {
        let found =
            format!("the newest event is {:?} ahead of it", Duration::from_millis(ahead.unsigned_abs()));
        return Verdict::warn(
            "clock",
            found,
            "it was set back, or was wrong before: ages of copies are not to be believed",
        );
    }
    Verdict::ok("clock", "plausible, and no event is ahead of it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::verdict::State;

    fn of(now: i64, newest: Option<i64>) -> State {
        check(&Seen { now, newest }).state
    }

    #[test]
    fn a_clock_is_held_against_the_events() {
        assert_eq!(of(FLOOR, None), State::Ok);
        assert_eq!(of(FLOOR, Some(0)), State::Ok);
        assert_eq!(of(FLOOR, Some(FLOOR + TOLERANCE)), State::Ok);
        assert_eq!(of(FLOOR, Some(FLOOR + TOLERANCE + 1)), State::Warn);
        assert_eq!(of(FLOOR - 1, None), State::Wrong);
        assert_eq!(of(FLOOR, Some(i64::MIN)), State::Ok);
    }

    #[test]
    fn the_clock_of_this_machine_is_read() {
        assert!(look(None).now > FLOOR);
    }
}
