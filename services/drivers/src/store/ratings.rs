//! The table `driver_rating`: one row per rating, so that none counts twice.

use freehold_store::{Queries, StoreError, Work, vals};

/// The stars of a driver's rating of that id.
pub(crate) async fn stars(work: &mut Work, id: &str, rating_id: &str) -> Result<Option<i32>, StoreError> {
    let row = work
        .one(
            "SELECT driver_rating.stars FROM driver_rating JOIN driver ON driver.number = driver_rating.driver_number
             WHERE driver.id = $1 AND driver_rating.rating_id = $2",
            vals![id, rating_id],
        )
        .await?;
    row.map(|row| row.get("stars")).transpose()
}

/// Notes a rating of a driver.
pub(crate) async fn add(work: &mut Work, id: &str, rating_id: &str, stars: i32) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO driver_rating (driver_number, rating_id, stars) SELECT number, $2, $3 FROM driver WHERE id = $1",
        vals![id, rating_id, stars],
    )
    .await?;
    Ok(())
}
