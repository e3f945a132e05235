//! The table `track`, read: a driver's chain from an entry back.

use freehold_store::{Queries, Row, StoreError, vals};

use crate::location::{Location, bucket};

/// A span of a driver's track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The number of the driver.
    pub(crate) driver: i64,
    /// From this time on.
    pub(crate) from_ms: i64,
    /// Until before this time.
    pub(crate) until_ms: i64,
}

/// An entry of a track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) id: i64,
    /// The one before it.
    pub(crate) previous: Option<i64>,
    pub(crate) location: Location,
}

/// Where a span is entered: an entry that is not older than the newest of the span, and not much newer.
pub(crate) async fn entrance(queries: &mut impl Queries, span: Span) -> Result<Option<i64>, StoreError> {
    let latest = queries
        .one("SELECT track_id, time_ms FROM latest_location WHERE driver_number = $1", vals![span.driver])
        .await?;
    let Some(latest) = latest else { return Ok(None) };
    let newest = bucket(span.until_ms.saturating_sub(1));
    if bucket(latest.get("time_ms")?) <= newest {
        return latest.get("track_id").map(Some);
    }
    // Every hour before the latest is over; one without a location has no entrance.
    let row = queries.one("SELECT MIN(bucket) AS oldest FROM track_entrance", vals![]).await?;
    let oldest = row.map(|row| row.get::<Option<i64>>("oldest")).transpose()?.flatten();
    let Some(oldest) = oldest else { return Ok(None) };
    for bucket in (oldest.max(bucket(span.from_ms))..=newest).rev() {
        let row = queries
            .one(
                "SELECT track_id FROM track_entrance WHERE bucket = $1 AND driver_number = $2",
                vals![bucket, span.driver],
            )
            .await?;
        if let Some(row) = row {
            return row.get("track_id").map(Some);
        }
    }
    Ok(None)
}

/// At most `most` entries of a span, newest first, from the entry of that id back.
pub(crate) async fn back(
    queries: &mut impl Queries,
    id: i64,
    span: Span,
    most: i64,
) -> Result<Vec<Step>, StoreError> {
    let rows = queries
        .all(
            "WITH RECURSIVE walk (id, previous_id, time_ms, latitude_e7, longitude_e7, heading_degrees, speed_cm_per_s,
                                  taken) AS (
                 SELECT id, previous_id, time_ms, latitude_e7, longitude_e7, heading_degrees, speed_cm_per_s,
                     CAST(CASE WHEN time_ms < $4 THEN 1 ELSE 0 END AS BIGINT)
                 FROM track WHERE id = $1 AND driver_number = $2 AND time_ms >= $3
               UNION ALL
                 SELECT track.id, track.previous_id, track.time_ms, track.latitude_e7, track.longitude_e7,
                     track.heading_degrees, track.speed_cm_per_s,
                     walk.taken + CASE WHEN track.time_ms < $4 THEN 1 ELSE 0 END
                 FROM walk JOIN track ON track.id = walk.previous_id
                 WHERE walk.taken < $5 AND track.driver_number = $2 AND track.time_ms >= $3
             )
             SELECT id, previous_id, time_ms, latitude_e7, longitude_e7, heading_degrees, speed_cm_per_s
             FROM walk WHERE time_ms < $4 ORDER BY time_ms DESC",
            vals![id, span.driver, span.from_ms, span.until_ms, most],
        )
        .await?;
    let step = |row: &Row| {
        Ok(Step { id: row.get("id")?, previous: row.get("previous_id")?, location: location(row)? })
    };
    rows.iter().map(step).collect()
}

/// The columns of a location.
pub(super) fn location(row: &Row) -> Result<Location, StoreError> {
    Ok(Location {
        time_ms: row.get("time_ms")?,
        latitude_e7: row.get("latitude_e7")?,
        longitude_e7: row.get("longitude_e7")?,
        heading_degrees: row.get("heading_degrees")?,
        speed_cm_per_s: row.get("speed_cm_per_s")?,
    })
}
