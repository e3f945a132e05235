//! Removes locations a few at a time: those that have been kept long enough, and those of drivers who were erased.
//!
//! Each call is made for a unit of work of its own, short enough to hold up no other; it tells whether there is more.

use std::sync::LazyLock;

use freehold_store::{Queries, StoreError, Work, vals};

use super::track::{self, Span};
use super::wide::Wide;

static REMOVE: LazyLock<Wide> = LazyLock::new(|| Wide::new("DELETE FROM track WHERE id IN (VALUES", 1, ")"));

/// Removes entries that came in before that bucket: the oldest, which lie together.
pub(crate) async fn expire(work: &mut Work, before: i64, most: i64) -> Result<bool, StoreError> {
    let row = work
        .one(
            "SELECT (SELECT MIN(id) FROM track) AS first, (SELECT MAX(last_id) FROM track_bucket WHERE bucket < $1) AS last",
            vals![before],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let (first, last): (Option<i64>, Option<i64>) = (row.get("first")?, row.get("last")?);
    match first.zip(last).filter(|(first, last)| first <= last) {
        Some((first, last)) => {
            work.exec("DELETE FROM track WHERE id <= $1", vals![last.min(first + most - 1)]).await?;
            Ok(true)
        }
        None => {
            // The newest stays: it knows the last id that was given.
            let emptied = "DELETE FROM track_bucket WHERE bucket < $1 AND bucket < (SELECT MAX(bucket) FROM track_bucket)";
            work.exec(emptied, vals![before]).await?;
            Ok(false)
        }
    }
}

/// Removes entrances to hours before that bucket.
pub(crate) async fn close(work: &mut Work, before: i64, most: i64) -> Result<bool, StoreError> {
    let closed = work
        .exec(
            "DELETE FROM track_entrance WHERE (bucket, driver_number) IN
                 (SELECT bucket, driver_number FROM track_entrance WHERE bucket < $1
                  ORDER BY bucket, driver_number LIMIT $2)",
            vals![before, most],
        )
        .await?;
    Ok(closed >= most.unsigned_abs())
}

/// Forgets latest locations that are older than that.
pub(crate) async fn forget(work: &mut Work, before_ms: i64, most: i64) -> Result<bool, StoreError> {
    let forgotten = work
        .exec(
            "DELETE FROM latest_location WHERE driver_number IN
                 (SELECT driver_number FROM latest_location WHERE time_ms < $1 LIMIT $2)",
            vals![before_ms, most],
        )
        .await?;
    Ok(forgotten >= most.unsigned_abs())
}

/// Removes entries of drivers who were erased, from the end of each chain back.
pub(crate) async fn erase(work: &mut Work, most: i64) -> Result<bool, StoreError> {
    let erased = work
        .one("SELECT driver_number, track_id FROM erased_track ORDER BY driver_number LIMIT 1", vals![])
        .await?;
    let Some(erased) = erased else { return Ok(false) };
    let driver = erased.get("driver_number")?;
    let all = Span { driver, from_ms: i64::MIN, until_ms: i64::MAX };
    let steps = track::back(work, erased.get("track_id")?, all, most).await?;
    REMOVE.exec(work, &steps, |step, values| values.push(step.id.into())).await?;
    match steps.last().and_then(|last| last.previous) {
        Some(next) => {
            let onward = "UPDATE erased_track SET track_id = $2 WHERE driver_number = $1";
            work.exec(onward, vals![driver, next]).await?;
        }
        None => {
            work.exec("DELETE FROM erased_track WHERE driver_number = $1", vals![driver]).await?;
        }
    }
    Ok(true)
}
