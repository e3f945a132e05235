//! How long to wait before the next attempt: exponential, capped, with jitter.
//!
//! Half of the delay is fixed and half is random, so that sagas that failed together do not come back together and
//! none comes back at once. Source: "Exponential Backoff And Jitter", AWS Architecture Blog (equal jitter).

use std::time::Duration;

/// The delays between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first failed attempt; it doubles with each further one.
    pub first: Duration,
    /// The longest delay.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), cap: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The delay in milliseconds after `failed` attempts; `chance` in 0..1 places it between a half and the whole.
    pub(crate) fn delay_ms(&self, failed: u32, chance: f64) -> i64 {
        let doublings = failed.saturating_sub(1).min(20);
        let whole = self.first.saturating_mul(1 << doublings).min(self.cap);
        let delay = whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_doubles_up_to_the_cap_and_is_never_less_than_half() {
        let backoff = Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(1) };
        assert_eq!([1, 2, 3, 4, 5, 1000].map(|n| backoff.delay_ms(n, 1.0)), [100, 200, 400, 800, 1000, 1000]);
        assert_eq!([1, 2, 3, 4, 5, 1000].map(|n| backoff.delay_ms(n, 0.0)), [50, 100, 200, 400, 500, 500]);
    }
}
