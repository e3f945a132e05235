//! Many locations of many drivers in one unit of work: the tracks grow, and the latest locations move on.
//!
//! **Invariant:** what a driver's track gets is newer than all that was in it, so no row of it is met twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use freehold_store::{StoreError, Value, Work};

use super::wide::Wide;
use crate::location::{self, Fate, Location, Sighting, bucket};

/// Which drivers there are, and when each was last seen.
static KNOWN: LazyLock<Wide> = LazyLock::new(|| {
    let head = "SELECT driver.number, latest_location.time_ms FROM driver
         LEFT JOIN latest_location ON latest_location.driver_number = driver.number WHERE driver.number IN (VALUES";
    Wide::new(head, 1, ")")
});

static TRACK: LazyLock<Wide> = LazyLock::new(|| {
    let head = "INSERT INTO track (driver_number, time_ms, latitude_e7, longitude_e7, heading_degrees, speed_cm_per_s,
         bucket) VALUES";
    Wide::new(head, 7, "")
});

static LATEST: LazyLock<Wide> = LazyLock::new(|| {
    let head =
        "INSERT INTO latest_location (driver_number, time_ms, latitude_e7, longitude_e7, heading_degrees,
         speed_cm_per_s) VALUES";
    let tail = "ON CONFLICT (driver_number) DO UPDATE SET time_ms = excluded.time_ms,
         latitude_e7 = excluded.latitude_e7, longitude_e7 = excluded.longitude_e7,
         heading_degrees = excluded.heading_degrees, speed_cm_per_s = excluded.speed_cm_per_s";
    Wide::new(head, 6, tail)
});

/// Writes what can be kept; answers what became of each, in their order.
pub(crate) async fn add(work: &mut Work, sightings: &[Sighting]) -> Result<Vec<Fate>, StoreError> {
    let fates = location::fates(sightings, known(work, sightings).await?);
    let kept = sightings.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Kept);
    let mut kept: Vec<Sighting> = kept.map(|(sighting, _)| *sighting).collect();
    // In the order of the key, so that what shares a page is written together.
    kept.sort_unstable_by_key(|seen| (bucket(seen.location.time_ms), seen.driver, seen.location.time_ms));
    let newest: BTreeMap<i64, Location> = kept.iter().map(|seen| (seen.driver, seen.location)).collect();
    let newest: Vec<Sighting> =
        newest.into_iter().map(|(driver, location)| Sighting { driver, location }).collect();
    LATEST.exec(work, &newest, values).await?;
    let with_bucket = |seen: &Sighting, all: &mut Vec<Value>| {
        values(seen, all);
        all.push(bucket(seen.location.time_ms).into());
    };
    TRACK.exec(work, &kept, with_bucket).await?;
    Ok(fates)
}

async fn known(work: &mut Work, sightings: &[Sighting]) -> Result<HashMap<i64, Option<i64>>, StoreError> {
    let mut drivers: Vec<i64> = sightings.iter().map(|seen| seen.driver).collect();
    drivers.sort_unstable();
    drivers.dedup();
    let rows = KNOWN.all(work, &drivers, |driver, all| all.push((*driver).into())).await?;
    rows.iter().map(|row| Ok((row.get("number")?, row.get("time_ms")?))).collect()
}

fn values(seen: &Sighting, all: &mut Vec<Value>) {
    let Sighting { driver, location } = seen;
    all.extend([
        Value::from(*driver),
        location.time_ms.into(),
        location.latitude_e7.into(),
        location.longitude_e7.into(),
        location.heading_degrees.into(),
        location.speed_cm_per_s.into(),
    ]);
}
