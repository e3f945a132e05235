//! Who relays: one of an owner's processes at a time. Plain code, without a clock that two machines would have to share.
//!
//! The holder counts its renewals in the owner's database. Whoever waits watches that count by its own clock, and takes
//! over once it has stood still for long enough. **Invariant:** each holder has a fence that no earlier one had, and only
//! what is marked under the last fence counts.

use std::time::{Duration, Instant};

/// How long a holder's count may stand still.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
/// How often a holder counts on, at least.
pub(crate) const RENEWAL: Duration = Duration::from_secs(2);

/// What the database says of the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) fence: i64,
    pub(crate) renewals: i64,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Take over, if it still is as it was seen.
    Take,
    /// Look again after that time.
    Wait(Duration),
}

/// What somebody who waits has seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    seen: Option<(Held, Instant)>,
}

impl Watch {
    /// Decides on what is seen now. `alone`: the database admits one process at a time, so a holder that is in it is
    /// dead.
    pub(crate) fn observe(&mut self, held: Option<Held>, alone: bool, now: Instant) -> Next {
        let Some(held) = held.filter(|_| !alone) else { return Next::Take };
        match self.seen {
            Some((seen, since)) if seen == held => {
                let stood = now.saturating_duration_since(since);
                if stood >= LEASE { Next::Take } else { Next::Wait((LEASE - stood).min(RENEWAL)) }
            }
            _ => {
                self.seen = Some((held, now));
                Next::Wait(RENEWAL)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Held = Held { fence: 1, renewals: 7 };

    #[test]
    fn a_free_lease_is_taken_at_once() {
        let now = Instant::now();
        assert_eq!(Watch::default().observe(None, false, now), Next::Take);
        assert_eq!(Watch::default().observe(Some(FIRST), true, now), Next::Take);
    }

    /// E9: by nobody's clock but its own, and only after the count has stood still.
    #[test]
    fn a_holder_that_counts_on_is_left_in_peace() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        for step in 0..100 {
            let held = Held { renewals: i64::from(step), ..FIRST };
            let now = start + LEASE * u32::try_from(step).unwrap_or(0);
            assert_eq!(watch.observe(Some(held), false, now), Next::Wait(RENEWAL));
        }
    }

    #[test]
    fn a_holder_that_stands_still_is_followed() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        assert_eq!(watch.observe(Some(FIRST), false, start), Next::Wait(RENEWAL));
        let short = Duration::from_secs(1);
        assert_eq!(watch.observe(Some(FIRST), false, start + LEASE - short), Next::Wait(short));
        assert_eq!(watch.observe(Some(FIRST), false, start + LEASE), Next::Take);
        let second = Held { fence: 2, renewals: 0 };
        assert_eq!(
            watch.observe(Some(second), false, start + LEASE),
            Next::Wait(RENEWAL),
            "another was first"
        );
    }
}
