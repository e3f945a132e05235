//! How old news from an owner is, without trusting that two machines agree on the time.
//!
//! Each heartbeat gives the owner's time; the quickest one heard tells best how the clocks differ, its travel included.
//! What the owner said at its time t is then placed on this machine's monotonic clock. **Invariant:** an age is never
//! given shorter than it can have been, except by the travel time of the quickest heartbeat.

use std::time::{Duration, Instant};

use prost_types::Timestamp;

/// An owner's clock as seen from here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnerClock {
    /// The owner's time, since 1970, at `heard`.
    time: Duration,
    /// When the quickest heartbeat was heard.
    heard: Instant,
}

impl OwnerClock {
    /// Begins with the first heartbeat.
    pub(crate) fn new(heard: Instant, time: Timestamp) -> Self {
        Self { time: since_1970(time), heard }
    }

    /// A heartbeat was heard now; answers when the owner sent it.
    pub(crate) fn heard(&mut self, now: Instant, time: Timestamp) -> Instant {
        let sent = since_1970(time);
        if self.place(sent).is_none_or(|sent| sent > now) {
            *self = Self { time: sent, heard: now };
        }
        self.at(now, time)
    }

    /// When it was `time` at the owner; never in the future.
    pub(crate) fn at(&self, now: Instant, time: Timestamp) -> Instant {
        self.place(since_1970(time)).map_or(now, |placed| placed.min(now))
    }

    fn place(&self, time: Duration) -> Option<Instant> {
        match time.checked_sub(self.time) {
            Some(later) => self.heard.checked_add(later),
            None => self.heard.checked_sub(self.time - time),
        }
    }
}

fn since_1970(time: Timestamp) -> Duration {
    let nanos = u32::try_from(time.nanos).unwrap_or(0).min(999_999_999);
    Duration::new(u64::try_from(time.seconds).unwrap_or(0), nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(ms: i64) -> Timestamp {
        let nanos = i32::try_from(ms % 1000).unwrap_or(0) * 1_000_000;
        Timestamp { seconds: ms / 1000, nanos }
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// R7: news that waited in a queue is as old as it is, not as old as its arrival.
    #[test]
    fn late_news_is_placed_when_it_was_sent() {
        let start = Instant::now();
        let mut clock = OwnerClock::new(start, time(5_000_000));
        assert_eq!(clock.heard(start + SECOND, time(5_001_000)), start + SECOND);
        assert_eq!(
            clock.heard(start + 5 * SECOND, time(5_002_000)),
            start + 2 * SECOND,
            "three seconds in a queue"
        );
        assert_eq!(clock.at(start + 5 * SECOND, time(5_002_500)), start + 2 * SECOND + SECOND / 2);
    }

    #[test]
    fn a_quicker_heartbeat_corrects_the_clock_and_nothing_is_in_the_future() {
        let start = Instant::now();
        let mut clock = OwnerClock::new(start + SECOND, time(5_000_000));
        assert_eq!(clock.heard(start + 2 * SECOND, time(5_002_000)), start + 2 * SECOND);
        assert_eq!(clock.at(start + 2 * SECOND, time(5_001_000)), start + SECOND);
        assert_eq!(clock.at(start + 2 * SECOND, time(9_000_000)), start + 2 * SECOND);
        assert_eq!(clock.at(start, Timestamp { seconds: i64::MIN, nanos: -1 }).max(start), start);
    }
}
