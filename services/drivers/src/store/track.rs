//! The table `track`: where each driver was, by the hour. Rows are added and, hours later, removed; none changes.

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

/// At most `limit` locations of a span, oldest first.
pub(crate) async fn within(
    queries: &mut impl Queries,
    span: Span,
    limit: usize,
) -> Result<Vec<Location>, StoreError> {
    let mut found = Vec::new();
    let Some((oldest, newest)) = buckets(queries).await? else { return Ok(found) };
    let first = bucket(span.from_ms).max(oldest);
    let last = bucket(span.until_ms.saturating_sub(1)).min(newest);
    // The key begins with the bucket, so that a query of one is a range of the key, and one of several is not.
    for bucket in first..=last {
        let left = limit - found.len();
        if left == 0 {
            break;
        }
        let rows = queries
            .all(
                "SELECT time_ms, latitude_e7, longitude_e7, heading_degrees, speed_cm_per_s FROM track
                 WHERE bucket = $1 AND driver_number = $2 AND time_ms >= $3 AND time_ms < $4
                 ORDER BY time_ms LIMIT $5",
                vals![
                    bucket,
                    span.driver,
                    span.from_ms,
                    span.until_ms,
                    i64::try_from(left).unwrap_or(i64::MAX)
                ],
            )
            .await?;
        for row in &rows {
            found.push(location(row)?);
        }
    }
    Ok(found)
}

/// The oldest and the newest bucket that there is.
pub(super) async fn buckets(queries: &mut impl Queries) -> Result<Option<(i64, i64)>, StoreError> {
    let row = queries
        .one(
            "SELECT (SELECT MIN(bucket) FROM track) AS oldest, (SELECT MAX(bucket) FROM track) AS newest",
            vals![],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.get::<Option<i64>>("oldest")?.zip(row.get("newest")?))
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
