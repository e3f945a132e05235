//! Whether a failed attempt is followed by another, and when.
//!
//! In: what the contract declares, how the attempt failed, the time that is left, the budget. Out: a wait, or the reason
//! to stop. **Invariant:** what may have been processed is sent again only where the contract says that this is safe;
//! what is done for somebody's retry is not retried again.

use std::time::{Duration, Instant};

use freehold_wire::{Pushback, Retry};
use tonic::Code;

use super::budget::Budget;

/// The most attempts that a callee can have seen.
const MOST: u32 = 3;
/// The wait before the second attempt is up to this long, doubling with each further one: "full jitter".
const FIRST: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_secs(1);

/// How an attempt failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed {
    pub(crate) code: Code,
    /// The callee provably has not seen it.
    pub(crate) unprocessed: bool,
    pub(crate) pushback: Option<Pushback>,
}

impl Failed {
    /// Whether the callee has decided: whoever is asked again, or is being asked, has nothing to add.
    pub(crate) fn is_answer(&self) -> bool {
        let busy = self.code == Code::Unavailable
            || (self.code == Code::ResourceExhausted && self.pushback.is_some());
        !self.unprocessed && !busy
    }
}

/// Why there is no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The callee decided; another attempt would be told the same.
    Answered,
    /// The contract does not say that it is safe.
    Undeclared,
    /// This call is made for a retry.
    Nested,
    /// The callee forbade it.
    PushedBack,
    /// Enough attempts were made.
    Attempts,
    /// Too many calls of this channel were retried.
    Budget,
    /// The wait would be longer than what is left.
    Deadline,
    /// A part of what is to be sent is gone already.
    Taken,
    /// No replica had a place for another attempt.
    NoPlace,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt, after a wait.
    Again(Duration),
    /// The failure is the answer.
    Stop(Stop),
}

/// The attempts of one call.
#[derive(Debug, Clone)]
pub(crate) struct Attempts {
    retry: Retry,
    /// The call is made for a retry, here or further up.
    nested: bool,
    /// Attempts that the callee can have seen.
    seen: u32,
    /// Attempts that it has provably not seen.
    unseen: u32,
}

impl Attempts {
    /// Of a call that the contract declares `retry`.
    pub(crate) fn new(retry: Retry, nested: bool) -> Self {
        Self { retry, nested, seen: 0, unseen: 0 }
    }

    /// How many came before the next one (`grpc-previous-rpc-attempts`).
    pub(crate) fn before(&self) -> u32 {
        self.seen
    }

    /// Whether the contract lets it be sent twice.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.retry != Retry::Never
    }

    /// What follows a failure, with `left` until the deadline.
    pub(crate) fn after(
        &mut self,
        failed: Failed,
        left: Duration,
        budget: &mut Budget,
        now: Instant,
        chance: f64,
    ) -> Next {
        match self.wait(failed, chance) {
            Err(stop) => Next::Stop(stop),
            Ok(wait) if wait >= left => Next::Stop(Stop::Deadline),
            // The first attempt that nobody saw costs nobody anything.
            Ok(wait) if failed.unprocessed && self.unseen == 1 => Next::Again(wait),
            Ok(_) if !budget.withdraw(now) => Next::Stop(Stop::Budget),
            Ok(wait) => Next::Again(wait),
        }
    }

    fn wait(&mut self, failed: Failed, chance: f64) -> Result<Duration, Stop> {
        if failed.unprocessed {
            self.unseen += 1;
            return match failed.pushback {
                Some(Pushback::Never) => Err(Stop::PushedBack),
                Some(Pushback::After(wait)) => Ok(wait),
                None if self.unseen == 1 => Ok(Duration::ZERO),
                None => Ok(jittered(self.unseen - 1, chance)),
            };
        }
        self.seen += 1;
        if failed.is_answer() {
            return Err(Stop::Answered);
        }
        if !self.is_repeatable() {
            return Err(Stop::Undeclared);
        }
        match failed.pushback {
            Some(Pushback::Never) => Err(Stop::PushedBack),
            _ if self.nested => Err(Stop::Nested),
            _ if self.seen >= MOST => Err(Stop::Attempts),
            Some(Pushback::After(wait)) => Ok(wait),
            None => Ok(jittered(self.seen, chance)),
        }
    }
}

/// A wait anywhere between nothing and a bound that doubles (Brooker, "Exponential Backoff and Jitter", 2015).
fn jittered(times: u32, chance: f64) -> Duration {
    (FIRST * 2_u32.pow((times - 1).min(10))).min(LONGEST).mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOST: Failed = Failed { code: Code::Unavailable, unprocessed: false, pushback: None };
    const UNSEEN: Failed = Failed { unprocessed: true, ..LOST };
    const HOUR: Duration = Duration::from_secs(3600);

    fn after(attempts: &mut Attempts, failed: Failed) -> Next {
        attempts.after(failed, HOUR, &mut Budget::default(), Instant::now(), 0.5)
    }

    fn first(retry: Retry, failed: Failed) -> Next {
        after(&mut Attempts::new(retry, false), failed)
    }

    /// C14: what may have been processed is sent again only where the contract says so; what was not, always.
    #[test]
    fn a_call_is_sent_again_where_that_is_safe() {
        assert!(matches!(first(Retry::Safe, LOST), Next::Again(_)));
        assert!(matches!(first(Retry::Idempotent, LOST), Next::Again(_)));
        assert!(matches!(first(Retry::Keyed, LOST), Next::Again(_)));
        assert_eq!(first(Retry::Never, LOST), Next::Stop(Stop::Undeclared));
        assert_eq!(first(Retry::Never, UNSEEN), Next::Again(Duration::ZERO));
    }

    #[test]
    fn an_answer_is_not_asked_for_twice() {
        for code in [Code::NotFound, Code::Internal, Code::Aborted, Code::ResourceExhausted, Code::Unknown] {
            assert_eq!(first(Retry::Safe, Failed { code, ..LOST }), Next::Stop(Stop::Answered));
        }
    }

    /// C8: below a retry there is none.
    #[test]
    fn what_is_done_for_a_retry_is_not_retried() {
        assert_eq!(after(&mut Attempts::new(Retry::Safe, true), LOST), Next::Stop(Stop::Nested));
        assert!(matches!(after(&mut Attempts::new(Retry::Safe, true), UNSEEN), Next::Again(_)));
    }

    /// C9: honoured exactly; a negative one and rubbish forbid it.
    #[test]
    fn pushback_is_honoured_exactly() {
        let told = |text: &str, code| {
            let pushback = Some(Pushback::parse(text.as_bytes()));
            first(Retry::Safe, Failed { code, pushback, ..LOST })
        };
        assert_eq!(told("1234", Code::Unavailable), Next::Again(Duration::from_millis(1234)));
        assert_eq!(told("0", Code::ResourceExhausted), Next::Again(Duration::ZERO));
        for rubbish in ["-1", "", "soon", "1.5", "+5", " 5", "99999999999", "٣"] {
            assert_eq!(told(rubbish, Code::Unavailable), Next::Stop(Stop::PushedBack), "{rubbish}");
        }
        assert_eq!(told("3600000", Code::Unavailable), Next::Stop(Stop::Deadline));
    }

    #[test]
    fn three_attempts_are_enough_and_the_budget_has_the_last_word() {
        let mut attempts = Attempts::new(Retry::Safe, false);
        for before in 1..MOST {
            assert!(matches!(after(&mut attempts, LOST), Next::Again(_)));
            assert_eq!(attempts.before(), before);
        }
        assert_eq!(after(&mut attempts, LOST), Next::Stop(Stop::Attempts));
        let (mut empty, now) = (Budget::default(), Instant::now());
        while empty.withdraw(now) {}
        let mut attempts = Attempts::new(Retry::Safe, false);
        assert_eq!(attempts.after(LOST, HOUR, &mut empty, now, 0.5), Next::Stop(Stop::Budget));
        let mut attempts = Attempts::new(Retry::Never, false);
        assert!(matches!(attempts.after(UNSEEN, HOUR, &mut empty, now, 0.5), Next::Again(_)));
        assert_eq!(attempts.after(UNSEEN, HOUR, &mut empty, now, 0.5), Next::Stop(Stop::Budget));
    }

    proptest! {
        /// C11: planted bug: a wait without chance lets a thousand clients come back at once.
        #[test]
        fn a_thousand_clients_come_back_spread_out(seed in any::<u64>()) {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut per_milli = [0_u32; 40];
            for _ in 0..1_000 {
                let (mut attempts, mut budget) = (Attempts::new(Retry::Safe, false), Budget::default());
                let next = attempts.after(LOST, HOUR, &mut budget, Instant::now(), random.f64());
                let Next::Again(wait) = next else { panic!("{next:?}") };
                per_milli[usize::try_from(wait.as_millis()).unwrap()] += 1;
            }
            prop_assert!(per_milli.iter().all(|count| *count < 60), "{per_milli:?}");
        }

        #[test]
        fn rubbish_is_read_as_never(text in proptest::collection::vec(any::<u8>(), 0..20)) {
            let digits = text.iter().all(u8::is_ascii_digit) && !text.is_empty() && text.len() <= 10;
            prop_assert_eq!(Pushback::parse(&text) == Pushback::Never, !digits);
        }
    }
}
