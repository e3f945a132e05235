//! When a failing event is tried again, and when it is a dead letter; decided in plain code.
//!
//! Exponential backoff with full jitter: the delay before attempt n is drawn from zero to `base * 2^n`, at most `cap`
//! (source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that the keys of a returning dependency
//! spread. **Invariant:** what may heal by itself is not a dead letter before the horizon.

use std::time::Duration;

/// How a failing reaction is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest delay before the second attempt; doubles from there.
    pub base: Duration,
    /// The longest delay before any attempt.
    pub cap: Duration,
    /// How often an attempt may end without an answer (time ran out, the process died) before the event is a dead letter.
    pub attempts: u32,
    /// How long a failure that says it is transient is retried before the event is a dead letter.
    pub horizon: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(60),
            attempts: 10,
            horizon: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may heal by itself: a dependency is down, the database is busy.
    Transient,
    /// Nobody knows: time ran out, or the process died in it.
    Unclear,
    /// It fails every time: refused, undecodable, a panic, a statement that the database rejects.
    Poison,
}

/// What has been tried so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried {
    /// Attempts, counted when they were claimed.
    pub(crate) attempts: u32,
    /// How many of them ended without an answer, since the last that gave one.
    pub(crate) unanswered: u32,
    /// How long ago the first one began.
    pub(crate) since: Duration,
}

/// What comes next for the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt after this delay.
    Retry(Duration),
    /// A dead letter: its key stays parked until somebody redrives or skips it.
    Dead,
}

impl RetryPolicy {
    /// Decides after a failed attempt; `chance` is between 0 and 1.
    pub(crate) fn after(&self, failure: Failure, tried: Tried, chance: f64) -> Next {
        let dead = match failure {
            Failure::Poison => true,
            Failure::Unclear => tried.unanswered >= self.attempts,
            Failure::Transient => tried.since >= self.horizon,
        };
        if dead { Next::Dead } else { Next::Retry(self.delay(tried.attempts, chance)) }
    }

    /// The delay before the attempt after `attempts` of them.
    pub(crate) fn delay(&self, attempts: u32, chance: f64) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doubled).min(self.cap).mul_f64(chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(attempts: u32, unanswered: u32, since: Duration) -> Tried {
        Tried { attempts, unanswered, since }
    }

    /// E31: ten minutes of a dead dependency burn nothing.
    #[test]
    fn a_transient_failure_is_no_dead_letter_before_the_horizon() {
        let policy = RetryPolicy::default();
        let next = policy.after(Failure::Transient, tried(5_000, 0, Duration::from_secs(600)), 0.5);
        assert_eq!(next, Next::Retry(Duration::from_secs(30)));
        assert_eq!(policy.after(Failure::Transient, tried(5_000, 0, policy.horizon), 0.5), Next::Dead);
    }

    /// E10: an attempt that never answers is counted all the same.
    #[test]
    fn an_event_that_never_lets_an_attempt_end_is_a_dead_letter() {
        let policy = RetryPolicy::default();
        let after =
            |unanswered| policy.after(Failure::Unclear, tried(unanswered, unanswered, Duration::ZERO), 1.0);
        assert!(matches!(after(9), Next::Retry(_)));
        assert_eq!(after(10), Next::Dead);
    }

    #[test]
    fn poison_is_a_dead_letter_at_once() {
        assert_eq!(
            RetryPolicy::default().after(Failure::Poison, tried(1, 0, Duration::ZERO), 0.0),
            Next::Dead
        );
    }

    /// E33: delays double up to the cap and spread from zero.
    #[test]
    fn delays_double_up_to_the_cap_and_are_spread_by_chance() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(1, 1.0), Duration::from_millis(100));
        assert_eq!(policy.delay(4, 1.0), Duration::from_millis(800));
        assert_eq!(policy.delay(4, 0.25), Duration::from_millis(200));
        for attempts in [11, 33, u32::MAX] {
            assert_eq!(policy.delay(attempts, 1.0), policy.cap, "{attempts}");
        }
        assert_eq!(policy.delay(u32::MAX, 0.0), Duration::ZERO);
    }
}
