//! How long things take, in buckets: two additions per observation, and nothing that waits.
//!
//! The library's own histogram takes a lock for each observation, which calls on many threads would queue for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// The upper ends of the buckets in microseconds: from what a call on one machine takes to the longest deadlines.
const UPPER: [u64; 17] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];
/// One more than the upper ends: what took longer than any.
const BUCKETS: usize = UPPER.len() + 1;

/// How long things take. Cloning is cheap and shares the numbers.
#[derive(Debug, Clone, Default)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    counts: [AtomicU64; BUCKETS],
    /// Five hundred years of it.
    nanos: AtomicU64,
}

impl Histogram {
    /// Something took so long.
    pub fn observe(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = UPPER.iter().position(|upper| nanos <= upper * 1_000).unwrap_or(UPPER.len());
        self.0.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let ends = UPPER.iter().map(|upper| *upper as f64 / 1e6).chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
        // The count is that of the buckets as they were read, so that the two never contradict each other.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is at the upper end of a bucket is in it. Planted bug: `<` for `<=`.
        #[test]
        fn an_observation_is_in_the_first_bucket_that_holds_it(nanos in 0_u64..20_000_000_000) {
            let histogram = Histogram::default();
            histogram.observe(Duration::from_nanos(nanos));
            let found = histogram.0.counts.iter().position(|count| count.load(Ordering::Relaxed) == 1).unwrap();
            prop_assert!(found == UPPER.len() || nanos <= UPPER[found] * 1_000);
            prop_assert!(found == 0 || nanos > UPPER[found - 1] * 1_000);
        }
    }

    #[test]
    fn the_ends_belong_to_their_buckets() {
        let histogram = Histogram::default();
        UPPER.iter().for_each(|upper| histogram.observe(Duration::from_micros(*upper)));
        let counts: Vec<u64> = histogram.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!(counts[..UPPER.len()], [1; UPPER.len()]);
    }
}
