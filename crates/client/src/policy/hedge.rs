//! When a read that has no answer yet is asked of a second replica as well ("hedged requests", Dean and Barroso, "The
//! Tail at Scale", 2013).
//!
//! In: how long the reads of one method take. Out: how long to wait for the first answer before asking for a second.
//! **Invariant:** over any number of reads, hedges are at most a twentieth of them; where all are slow there is hardly
//! any, as the wait grows with them.

use std::time::Duration;

/// What one read pays in, and the most that is saved up.
const PER_CALL: f64 = 0.05;
const MOST_SAVED: f64 = 10.0;
/// Fewer samples than this say nothing.
const LEAST_SAMPLES: u32 = 100;
/// At so many, all count half, so that the past is forgotten.
const MOST_SAMPLES: u32 = 2_000;
/// The share of reads that are answered before a hedge is thought of.
const QUANTILE: f64 = 0.95;
/// No read is hedged earlier: a timer is no finer, and less is not worth a second call.
const SHORTEST: Duration = Duration::from_millis(5);
/// Four buckets per doubling, from a microsecond up to 18 minutes.
const BUCKETS: usize = 120;

/// The reads of one method.
#[derive(Debug)]
pub(crate) struct Hedge {
    saved: f64,
    samples: u32,
    buckets: [u32; BUCKETS],
    /// Kept, as it is asked for with every call.
    wait: Option<Duration>,
}

impl Default for Hedge {
    fn default() -> Self {
        Self { saved: 0.0, samples: 0, buckets: [0; BUCKETS], wait: None }
    }
}

impl Hedge {
    /// A read begins. How long it waits before it is asked a second time; `None` for as long as it takes.
    pub(crate) fn begin(&mut self) -> Option<Duration> {
        self.saved = (self.saved + PER_CALL).min(MOST_SAVED);
        self.wait.filter(|_| self.saved >= 1.0)
    }

    /// The wait is over; whether there may be a second call.
    pub(crate) fn withdraw(&mut self) -> bool {
        let enough = self.saved >= 1.0;
        if enough {
            self.saved -= 1.0;
        }
        enough
    }

    /// A read had its answer, or was without one for as long as this.
    pub(crate) fn took(&mut self, took: Duration) {
        self.buckets[bucket(took)] += 1;
        self.samples += 1;
        if self.samples >= MOST_SAMPLES {
            self.buckets.iter_mut().for_each(|count| *count /= 2);
            self.samples = self.buckets.iter().sum();
        }
        if self.samples >= LEAST_SAMPLES && self.samples.is_multiple_of(16) {
            self.wait = Some(self.quantile().max(SHORTEST));
        }
    }

    fn quantile(&self) -> Duration {
        let below = (f64::from(self.samples) * QUANTILE).ceil();
        let mut seen = 0.0;
        let reaches = |count: &u32| {
            seen += f64::from(*count);
            seen >= below
        };
        let index = self.buckets.iter().position(reaches).unwrap_or(BUCKETS - 1);
        // The upper end of the bucket.
        Duration::from_micros(1).mul_f64(((index + 1) as f64 / 4.0).exp2())
    }
}

fn bucket(took: Duration) -> usize {
    let micros = (took.as_secs_f64() * 1e6).max(1.0);
    // A float is cut to the range of the index, never wrapped.
    ((micros.log2() * 4.0) as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `count` reads; the hedges among them, and how many of the slow ones had one.
    fn run(hedge: &mut Hedge, count: u32, took: impl Fn(u32) -> Duration) -> (u32, u32) {
        let (mut hedges, mut helped) = (0, 0);
        for read in 0..count {
            let took = took(read);
            let hedged = hedge.begin().filter(|wait| took > *wait).filter(|_| hedge.withdraw());
            hedges += u32::from(hedged.is_some());
            helped += u32::from(hedged.is_some() && took >= Duration::from_secs(1));
            hedge.took(took);
        }
        (hedges, helped)
    }

    proptest! {
        /// C15: planted bug: without the purse, reads that get slower and slower are hedged one and all.
        #[test]
        fn hedges_are_at_most_a_twentieth(times in proptest::collection::vec(1_u64..2_000_000, 1..3_000)) {
            let mut hedge = Hedge::default();
            let count = u32::try_from(times.len()).unwrap();
            let micros = |read: u32| Duration::from_micros(times[read as usize] * u64::from(read + 1));
            let (hedges, _) = run(&mut hedge, count, micros);
            prop_assert!(f64::from(hedges) <= f64::from(count) * 0.05, "{hedges} of {count}");
        }

        #[test]
        fn a_bucket_holds_what_falls_into_it(micros in 1_u64..1_000_000_000) {
            let mut hedge = Hedge::default();
            hedge.buckets[bucket(Duration::from_micros(micros))] = 1;
            hedge.samples = 1;
            let upper = hedge.quantile().as_secs_f64() * 1e6;
            let micros = micros as f64;
            prop_assert!(upper >= micros && upper <= micros * 1.2 + 1.0, "{micros} {upper}");
        }
    }

    /// C15: one in a hundred takes a second; nearly all of these are asked for twice.
    #[test]
    fn the_slow_hundredth_is_hedged() {
        let mut hedge = Hedge::default();
        let took = |read| Duration::from_millis(if read % 100 == 99 { 1_000 } else { 2 });
        let (hedges, helped) = run(&mut hedge, 10_000, took);
        assert!(helped >= 95 && hedges <= 500, "{hedges} hedges, {helped} of 100 slow ones");
    }

    /// C15: where all are slow, the wait is as long as they are.
    #[test]
    fn hedging_stops_where_all_are_slow() {
        let mut hedge = Hedge::default();
        run(&mut hedge, 2_000, |_| Duration::from_millis(2));
        run(&mut hedge, 2_000, |_| Duration::from_secs(1));
        let (hedges, _) = run(&mut hedge, 2_000, |_| Duration::from_secs(1));
        assert_eq!(hedges, 0);
    }
}
