//! Where a driver was and when, which times are taken, and what becomes of locations that come in.
//!
//! Pure: the time and what is known of each driver come in as arguments.
//! **Invariant:** of a driver only locations are kept that are newer than all before them.

use std::collections::HashMap;
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

/// What becomes of a location that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Kept,
    /// It is not newer than what is known of its driver.
    Refused,
    /// There is no such driver any more.
    Driverless,
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

/// What becomes of each sighting, in the order in which they came in. `known` has the drivers that there are, with the time
/// of the latest location of each.
pub(crate) fn fates(sightings: &[Sighting], mut known: HashMap<i64, Option<i64>>) -> Vec<Fate> {
    let mut decide = |sighting: &Sighting| match known.get_mut(&sighting.driver) {
        None => Fate::Driverless,
        Some(newest) if newest.is_none_or(|newest| newest < sighting.location.time_ms) => {
            *newest = Some(sighting.location.time_ms);
            Fate::Kept
        }
        Some(_) => Fate::Refused,
    };
    sightings.iter().map(&mut decide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const DAY: i64 = 86_400_000;

    fn sighting(driver: i64, time_ms: i64) -> Sighting {
        let (latitude_e7, longitude_e7) = (525_200_000, 134_050_000);
        let location =
            Location { time_ms, latitude_e7, longitude_e7, heading_degrees: None, speed_cm_per_s: None };
        Sighting { driver, location }
    }

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
    fn of_a_driver_only_what_is_newer_is_kept() {
        let came = [(1, 10), (1, 10), (2, 5), (1, 9), (1, 11), (3, 1), (2, 6)].map(|(d, t)| sighting(d, t));
        let known = HashMap::from([(1, Some(9)), (2, Some(5))]);
        use Fate::{Driverless, Kept, Refused};
        assert_eq!(fates(&came, known), [Kept, Refused, Refused, Refused, Kept, Driverless, Kept]);
    }

    #[test]
    fn a_driver_without_a_location_takes_any() {
        assert_eq!(fates(&[sighting(1, -5)], HashMap::from([(1, None)])), [Fate::Kept]);
    }

    #[test]
    fn an_hour_is_a_bucket_also_before_1970() {
        assert_eq!([-1, 0, 3_599_999, 3_600_000].map(bucket), [-1, 0, 0, 1]);
    }
}
