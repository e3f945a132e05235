//! Many locations of many drivers in one unit of work: the track grows at its end, and the latest locations move on.

use std::collections::HashMap;
use std::sync::LazyLock;

use freehold_store::{Queries, StoreError, Value, Work, vals};

use super::wide::Wide;
use crate::location::{Sighting, bucket};
use crate::trail::{End, Entrance, Entry, Fate, Plan};

/// Which drivers there are, and where the chain of each ends.
static ENDS: LazyLock<Wide> = LazyLock::new(|| {
    let head = "SELECT driver.number, latest_location.track_id, latest_location.time_ms FROM driver
         LEFT JOIN latest_location ON latest_location.driver_number = driver.number WHERE driver.number IN (VALUES";
    Wide::new(head, 1, ")")
});

static TRACK: LazyLock<Wide> = LazyLock::new(|| {
    let head = "INSERT INTO track (id, driver_number, time_ms, latitude_e7, longitude_e7, heading_degrees,
         speed_cm_per_s, previous_id) VALUES";
    Wide::new(head, 8, "")
});

static LATEST: LazyLock<Wide> = LazyLock::new(|| {
    let head = "INSERT INTO latest_location (track_id, driver_number, time_ms, latitude_e7, longitude_e7,
         heading_degrees, speed_cm_per_s) VALUES";
    let tail =
        "ON CONFLICT (driver_number) DO UPDATE SET track_id = excluded.track_id, time_ms = excluded.time_ms,
         latitude_e7 = excluded.latitude_e7, longitude_e7 = excluded.longitude_e7,
         heading_degrees = excluded.heading_degrees, speed_cm_per_s = excluded.speed_cm_per_s";
    Wide::new(head, 7, tail)
});

/// What is kept of a driver goes forward in time, so each hour is left once.
static ENTRANCE: LazyLock<Wide> =
    LazyLock::new(|| Wide::new("INSERT INTO track_entrance (bucket, driver_number, track_id) VALUES", 3, ""));

/// Writes what can be kept; answers what became of each, in their order.
pub(crate) async fn add(work: &mut Work, sightings: &[Sighting]) -> Result<Vec<Fate>, StoreError> {
    let (ends, last) = (ends(work, sightings).await?, last(work).await?);
    let plan = Plan::of(sightings, ends, last);
    let Some(newest) = plan.entries.last() else { return Ok(plan.fates) };
    LATEST.exec(work, &plan.newest(), values).await?;
    let entrance = |entrance: &Entrance, all: &mut Vec<Value>| {
        all.extend(vals![entrance.bucket, entrance.driver, entrance.id]);
    };
    ENTRANCE.exec(work, &plan.entrances, entrance).await?;
    let with_previous = |entry: &Entry, all: &mut Vec<Value>| {
        values(entry, all);
        all.push(entry.previous.into());
    };
    TRACK.exec(work, &plan.entries, with_previous).await?;
    let arrived = bucket(work.now());
    work.exec(
        "INSERT INTO track_bucket (bucket, last_id) VALUES ($1, $2)
         ON CONFLICT (bucket) DO UPDATE SET last_id = excluded.last_id",
        vals![arrived, newest.id],
    )
    .await?;
    Ok(plan.fates)
}

async fn ends(work: &mut Work, sightings: &[Sighting]) -> Result<HashMap<i64, Option<End>>, StoreError> {
    let mut drivers: Vec<i64> = sightings.iter().map(|seen| seen.driver).collect();
    drivers.sort_unstable();
    drivers.dedup();
    let rows = ENDS.all(work, &drivers, |driver, all| all.push((*driver).into())).await?;
    let mut ends = HashMap::with_capacity(rows.len());
    for row in &rows {
        let end = match row.get::<Option<i64>>("track_id")? {
            Some(id) => Some(End { id, time_ms: row.get("time_ms")? }),
            None => None,
        };
        ends.insert(row.get("number")?, end);
    }
    Ok(ends)
}

/// The last id that was given, however much of the track is gone.
async fn last(work: &mut Work) -> Result<i64, StoreError> {
    let row = work.one("SELECT MAX(last_id) AS last FROM track_bucket", vals![]).await?;
    Ok(row.map(|row| row.get::<Option<i64>>("last")).transpose()?.flatten().unwrap_or(0))
}

fn values(entry: &Entry, all: &mut Vec<Value>) {
    let Sighting { driver, location } = entry.seen;
    all.extend(vals![
        entry.id,
        driver,
        location.time_ms,
        location.latitude_e7,
        location.longitude_e7,
        location.heading_degrees,
        location.speed_cm_per_s,
    ]);
}
