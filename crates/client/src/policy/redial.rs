//! When a replica is dialled again: at once after a connection that was of use, else after a wait that doubles.
//!
//! **Invariant:** a peer that closes every connection is dialled at most five times in any two seconds.

use std::time::{Duration, Instant};

/// The first wait and the longest; chance lengthens each by up to a half.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// The dials of one replica.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redial {
    failures: u32,
    not_before: Option<Instant>,
}

impl Redial {
    /// How long the next dial has to wait at `now`.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.not_before.map_or(Duration::ZERO, |then| then.saturating_duration_since(now))
    }

    /// A dial failed, or its connection ended without having been of use.
    pub(crate) fn failed(&mut self, now: Instant, chance: f64) {
        let wait = (FIRST * 2_u32.pow(self.failures.min(10))).min(LONGEST);
        self.failures += 1;
        self.not_before = Some(now + wait.mul_f64(1.0 + chance / 2.0));
    }

    /// A connection was of use: it brought an answer.
    pub(crate) fn proven(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// C19: planted bug: a wait that does not grow gives twenty.
        #[test]
        fn a_peer_that_closes_everything_is_dialled_five_times_in_two_seconds(seed in any::<u64>()) {
            let (mut random, began) = (fastrand::Rng::with_seed(seed), Instant::now());
            let (mut redial, mut now, mut dials) = (Redial::default(), began, Vec::new());
            while now < began + Duration::from_secs(30) {
                dials.push(now);
                redial.failed(now, random.f64());
                now += redial.wait(now);
            }
            for first in &dials {
                let within = dials.iter().filter(|dial| *dial >= first && **dial < *first + Duration::from_secs(2));
                prop_assert!(within.count() <= 5, "{dials:?}");
            }
            prop_assert!(dials.len() >= 20, "it does not give up");
        }
    }

    #[test]
    fn after_a_connection_of_use_it_is_dialled_at_once() {
        let (mut redial, now) = (Redial::default(), Instant::now());
        redial.failed(now, 0.0);
        assert!(redial.wait(now) > Duration::ZERO);
        redial.proven();
        assert_eq!(redial.wait(now), Duration::ZERO);
    }
}
