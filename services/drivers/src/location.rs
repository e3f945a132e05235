//! Where a driver was and when, and which times are taken.
//!
//! A time is the driver's own; the owner's clock, an argument here, decides how far off it may be.

use std::time::Duration;

/// How far ahead of the owner's clock a driver's clock may be.
pub(crate) const SKEW: Duration = Duration::from_secs(30);
/// The span of time whose locations share a bucket, in milliseconds.
const BUCKET_MS: i64 = 3_600_000;

/// Where a driver was, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    /// By the driver's clock, milliseconds since 1970 UTC.
    pub(crate) time_ms: i64,
    /// Degrees times 10^7.
    pub(crate) latitude_e7: i32,
    /// Degrees times 10^7.
    pub(crate) longitude_e7: i32,
    /// Degrees from north by east.
    pub(crate) heading_degrees: Option<i32>,
    pub(crate) speed_cm_per_s: Option<i32>,
}

/// A location and the number of its driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) driver: i64,
    pub(crate) location: Location,
}

/// Why a location is not taken for its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongTime {
    #[error("is {ahead_ms} ms ahead of the owner's clock, at most {} ms are taken", SKEW.as_millis())]
    Ahead {
        /// How far.
        ahead_ms: i64,
    },
    #[error("is {age_ms} ms old, and only {keep_ms} ms are kept")]
    Expired {
        /// How old.
        age_ms: i64,
        /// What is kept.
        keep_ms: i64,
    },
}

/// The bucket of a time.
pub(crate) fn bucket(time_ms: i64) -> i64 {
    time_ms.div_euclid(BUCKET_MS)
}

/// Whether a location of that time is taken at `now_ms`, where it is kept for `keep_ms`.
pub(crate) fn judge(time_ms: i64, now_ms: i64, keep_ms: i64) -> Result<(), WrongTime> {
    let age_ms = now_ms.saturating_sub(time_ms);
    let skew = i64::try_from(SKEW.as_millis()).unwrap_or(i64::MAX);
    if age_ms < -skew {
        return Err(WrongTime::Ahead { ahead_ms: -age_ms });
    }
    if age_ms > keep_ms {
        return Err(WrongTime::Expired { age_ms, keep_ms });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn a_time_is_taken_from_what_is_kept_to_the_skew_of_clocks() {
        assert_eq!(judge(NOW + 30_000, NOW, DAY), Ok(()));
        assert_eq!(judge(NOW + 30_001, NOW, DAY), Err(WrongTime::Ahead { ahead_ms: 30_001 }));
        assert_eq!(judge(NOW - DAY, NOW, DAY), Ok(()));
        let expired = WrongTime::Expired { age_ms: DAY + 1, keep_ms: DAY };
        assert_eq!(judge(NOW - DAY - 1, NOW, DAY), Err(expired));
        assert!(judge(i64::MAX, NOW, DAY).is_err() && judge(i64::MIN, NOW, DAY).is_err());
    }

    #[test]
    fn an_hour_is_a_bucket_also_before_1970() {
        assert_eq!([-1, 0, 3_599_999, 3_600_000].map(bucket), [-1, 0, 0, 1]);
    }
}
