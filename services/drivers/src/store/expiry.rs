//! Removes locations a few at a time: those that have been kept long enough, and those of drivers who were erased.
//!
//! Each call is made for a unit of work of its own, short enough to hold up no other.

use freehold_store::{Queries, StoreError, Work, vals};

use super::track;

/// Removes at most about `most` locations out of buckets before that one. Whether there are more.
pub(crate) async fn expire(work: &mut Work, before: i64, most: u64) -> Result<bool, StoreError> {
    let mut removed = 0;
    while removed < most {
        let oldest = work
            .one(
                "SELECT bucket, driver_number FROM track WHERE bucket < $1 ORDER BY bucket, driver_number LIMIT 1",
                vals![before],
            )
            .await?;
        let Some(oldest) = oldest else { return Ok(false) };
        removed += remove(work, oldest.get("bucket")?, oldest.get("driver_number")?, most - removed).await?;
    }
    Ok(true)
}

/// Forgets at most `most` latest locations that are older than that. Whether there may be more.
pub(crate) async fn forget(work: &mut Work, before_ms: i64, most: i64) -> Result<bool, StoreError> {
    let forgotten = work
        .exec(
            "DELETE FROM latest_location WHERE driver_number IN
                 (SELECT driver_number FROM latest_location WHERE time_ms < $1 LIMIT $2)",
            vals![before_ms, most],
        )
        .await?;
    Ok(i64::try_from(forgotten).is_ok_and(|forgotten| forgotten >= most))
}

/// Removes at most about `most` locations of drivers who were erased. Whether there are more.
pub(crate) async fn erase(work: &mut Work, most: u64) -> Result<bool, StoreError> {
    let erased =
        work.one("SELECT driver_number FROM erased_track ORDER BY driver_number LIMIT 1", vals![]).await?;
    let Some(erased) = erased else { return Ok(false) };
    let (driver, mut removed): (i64, u64) = (erased.get("driver_number")?, 0);
    if let Some((oldest, newest)) = track::buckets(work).await? {
        for bucket in oldest..=newest {
            removed += remove(work, bucket, driver, most - removed).await?;
            if removed >= most {
                return Ok(true);
            }
        }
    }
    work.exec("DELETE FROM erased_track WHERE driver_number = $1", vals![driver]).await?;
    Ok(true)
}

/// Removes the oldest locations of a driver in a bucket; answers how many.
async fn remove(work: &mut Work, bucket: i64, driver: i64, most: u64) -> Result<u64, StoreError> {
    let last = i64::try_from(most).unwrap_or(i64::MAX).saturating_sub(1);
    work.exec(
        "DELETE FROM track WHERE bucket = $1 AND driver_number = $2 AND time_ms <= COALESCE(
             (SELECT time_ms FROM track WHERE bucket = $1 AND driver_number = $2 ORDER BY time_ms LIMIT 1 OFFSET $3),
             9223372036854775807)",
        vals![bucket, driver, last],
    )
    .await
}
