//! What a call to a replica is expected to cost: its latency, its calls in flight and its share of successes.
//!
//! Latency is a peak EWMA: it jumps to a slower sample and forgets it over seconds (Finagle's load metric of that name).
//! **Invariant:** a failure never makes a replica look faster; only a served call teaches a lower latency.

use std::time::{Duration, Instant};

/// How fast the past is forgotten.
const MEMORY: Duration = Duration::from_secs(5);
/// What one call weighs in the share of successes.
const WEIGHT: f64 = 0.25;
/// The least share of successes that counts; below it, all are equally bad.
const LEAST_SUCCESS: f64 = 0.05;
/// What a replica costs that has a first call in flight and has never answered one, in seconds: more than any that has.
const UNKNOWN: f64 = 1e9;

/// What a replica costs at least that has failed and never served, in seconds.
const UNPROVEN: f64 = 0.1;

/// How long a call must have waited, in seconds, to say something although its caller gave it up.
const TELLING: f64 = 0.01;

/// How a call to a replica ended, as far as the replica is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was answered; a refusal that is the caller's own fault is an answer too.
    Served,
    /// The replica has too much to do.
    Overloaded,
    /// The replica or the way to it failed.
    Failed,
    /// The caller went away before there was an answer.
    Dropped,
}

/// The load of one replica.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    running: u32,
    /// Seconds; `None` before the first answer.
    latency: Option<f64>,
    /// How much of the calls was not served, 0 to 1.
    failing: f64,
    updated: Option<Instant>,
}

impl Load {
    /// A call begins.
    pub(crate) fn begin(&mut self) {
        self.running += 1;
    }

    /// A call ends at `now`, after `took`.
    pub(crate) fn end(&mut self, verdict: Verdict, took: Duration, now: Instant) {
        self.running = self.running.saturating_sub(1);
        let (took, kept) = (took.as_secs_f64(), self.kept(now));
        let known = self.latency;
        self.latency = match (verdict, known) {
            (_, Some(known)) if took >= known => Some(took),
            (Verdict::Served, Some(known)) => Some(known * kept + took * (1.0 - kept)),
            (Verdict::Served, None) => Some(took),
            // It says nothing but that the answer takes longer than that.
            (Verdict::Dropped, None) => (took >= TELLING).then_some(took),
            // What fails from the start is no bargain for having taken no time.
            (_, None) => Some(took.max(UNPROVEN)),
            (_, known) => known,
        };
        let failed = match verdict {
            Verdict::Served => 0.0,
            Verdict::Overloaded | Verdict::Failed => 1.0,
            Verdict::Dropped => return,
        };
        self.failing = self.failing * kept * (1.0 - WEIGHT) + failed * WEIGHT;
        self.updated = Some(now);
    }

    /// What one more call is expected to cost.
    pub(crate) fn cost(&self, now: Instant) -> f64 {
        let (kept, running) = (self.kept(now), f64::from(self.running));
        let latency = match self.latency {
            Some(latency) => latency * kept,
            // The first call is welcome; its answer is awaited before there are more.
            None if self.running == 0 => 0.0,
            None => UNKNOWN,
        };
        let success = (1.0 - self.failing * kept).max(LEAST_SUCCESS);
        // A nanosecond, so that calls in flight and failures count also where nothing takes any time.
        (latency + 1e-9) * (running + 1.0) / (success * success)
    }

    fn kept(&self, now: Instant) -> f64 {
        let age = self.updated.map_or(Duration::ZERO, |then| now.saturating_duration_since(then));
        (-age.as_secs_f64() / MEMORY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(calls: &[(Verdict, u64)], now: Instant) -> Load {
        let mut load = Load::default();
        for (verdict, millis) in calls {
            load.begin();
            load.end(*verdict, Duration::from_millis(*millis), now);
        }
        load
    }

    proptest! {
        /// C16: planted bug: a load that takes failures for served calls, as a plain peak EWMA does, prefers the one
        /// that fails.
        #[test]
        fn a_replica_that_fails_never_looks_cheaper_than_one_that_serves(
            served in 1_u64..1_000, failed in 0_u64..1_000, count in 1_usize..20, overloaded in any::<bool>(),
        ) {
            let verdict = if overloaded { Verdict::Overloaded } else { Verdict::Failed };
            let mut now = Instant::now();
            let mut well = after(&[(Verdict::Served, served)], now);
            let mut bad = well.clone();
            for _ in 0..count {
                now += Duration::from_millis(200);
                for (load, verdict, millis) in [(&mut well, Verdict::Served, served), (&mut bad, verdict, failed)] {
                    load.begin();
                    load.end(verdict, Duration::from_millis(millis), now);
                }
                prop_assert!(bad.cost(now) > well.cost(now));
            }
        }

        #[test]
        fn a_slower_sample_counts_at_once_and_is_forgotten_in_time(fast in 1_u64..50, slow in 100_u64..5_000) {
            let now = Instant::now();
            let load = after(&[(Verdict::Served, fast), (Verdict::Served, slow)], now);
            let known = after(&[(Verdict::Served, slow)], now);
            prop_assert!((load.cost(now) - known.cost(now)).abs() < 1e-6);
            prop_assert!(load.cost(now + MEMORY * 20) < load.cost(now) / 1_000.0);
        }
    }

    #[test]
    fn a_replica_that_never_answered_gets_one_call_at_a_time() {
        let now = Instant::now();
        let (mut new, old) = (Load::default(), after(&[(Verdict::Served, 900)], now));
        assert!(new.cost(now) < old.cost(now));
        new.begin();
        assert!(new.cost(now) > old.cost(now));
    }

    /// A call that its caller gave up proves no success, and no less latency than it had.
    #[test]
    fn a_dropped_call_counts_only_where_it_was_slow() {
        let now = Instant::now();
        let known = after(&[(Verdict::Served, 10)], now).cost(now);
        assert!((after(&[(Verdict::Served, 10), (Verdict::Dropped, 1)], now).cost(now) - known).abs() < 1e-9);
        assert!(after(&[(Verdict::Served, 10), (Verdict::Dropped, 500)], now).cost(now) > known * 40.0);
    }
}
