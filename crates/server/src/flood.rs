//! How many frames that are no work a peer may send: PING, SETTINGS, RST_STREAM, WINDOW_UPDATE, PRIORITY, CONTINUATION,
//! empty DATA, and types that nobody knows.
//!
//! Each costs a price out of an allowance, which grows with time and with every byte that the peer was sent: a client that
//! takes many answers must say much about windows, and some measure their connection with a PING per answer. What a
//! control frame makes us send is less than its price, so no flood of them pays for itself.

use std::time::{Duration, Instant};

use crate::frames::{Head, kind};

/// What one frame costs, in bytes sent. A PING's answer has 17, a SETTINGS' 9, a refused stream's 13.
const PRICE: u64 = 32;
/// How many may come at once: a peer may give up all calls of a connection together, several times over.
const BURST: u64 = 2048;
/// How many may come each second beyond what is earned. At this rate they cost us nothing worth counting.
const PER_SECOND: u64 = 1000;

/// The peer has sent more control frames than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a flood of control frames, the last one of type {kind}")]
pub(crate) struct Flood {
    /// The type of the frame that was too many.
    pub(crate) kind: u8,
}

/// What one connection may still send.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: u64,
    at: Instant,
}

impl Allowance {
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: BURST * PRICE, at: now }
    }

    /// The peer was sent so many bytes.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes as u64).min(BURST * PRICE);
    }

    /// The peer has sent a frame.
    ///
    /// # Errors
    /// [`Flood`] when it is too many; what comes of the connection is the caller's to decide.
    pub(crate) fn received(&mut self, head: Head, now: Instant) -> Result<(), Flood> {
        if is_work(head) {
            return Ok(());
        }
        if self.left < PRICE {
            self.refill(now);
        }
        self.left = self.left.checked_sub(PRICE).ok_or(Flood { kind: head.kind })?;
        Ok(())
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).min(Duration::from_secs(60));
        let earned = passed.as_micros() as u64 * PER_SECOND * PRICE / 1_000_000;
        self.sent(usize::try_from(earned).unwrap_or(usize::MAX));
        self.at = now;
    }
}

/// HEADERS begin a call, which has limits of its own; DATA with something in it is bounded by the windows.
fn is_work(head: Head) -> bool {
    head.kind == kind::HEADERS || (head.kind == kind::DATA && head.length > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PING: Head = Head { length: 8, kind: 6 };

    proptest! {
        /// Whatever the rate: what passes within a time is never more than the burst, the rate and what was earned. The
        /// planted fault is a refill that forgets when it was last.
        #[test]
        fn no_more_passes_than_is_allowed(gaps in prop::collection::vec(0_u64..2_000, 1..6_000)) {
            let begin = Instant::now();
            let (mut allowance, mut now, mut passed) = (Allowance::new(begin), begin, 0);
            for gap in gaps {
                now += Duration::from_micros(gap);
                passed += u64::from(allowance.received(PING, now).is_ok());
                let most = BURST + 1 + PER_SECOND * (now - begin).as_micros() as u64 / 1_000_000;
                prop_assert!(passed <= most, "{passed} in {:?}", now - begin);
            }
        }
    }

    /// C26: a peer that pings for every answer of the least size goes on for ever; one that only pings does not.
    #[test]
    fn control_frames_are_paid_for_by_answers() {
        let now = Instant::now();
        let answered = |bytes: usize| {
            let mut allowance = Allowance::new(now);
            (0..100_000)
                .take_while(|_| {
                    allowance.sent(bytes);
                    allowance.received(PING, now).is_ok()
                })
                .count()
        };
        assert_eq!(answered(50), 100_000, "the answer to a call");
        assert!(answered(17) < 5_000, "the answer to a PING");
    }

    #[test]
    fn a_slow_peer_is_never_too_fast() {
        let begin = Instant::now();
        let mut allowance = Allowance::new(begin);
        for number in 0..10_000 {
            assert_eq!(allowance.received(PING, begin + Duration::from_millis(2 * number)), Ok(()));
        }
    }

    #[test]
    fn work_costs_nothing() {
        let mut allowance = Allowance::new(Instant::now());
        for head in [Head { length: 0, kind: 1 }, Head { length: 1, kind: 0 }] {
            (0..10_000).for_each(|_| allowance.received(head, Instant::now()).unwrap());
        }
        let empty = Head { length: 0, kind: 0 };
        assert!((0..10_000).any(|_| allowance.received(empty, Instant::now()) == Err(Flood { kind: 0 })));
    }
}
