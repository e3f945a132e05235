//! The table `driver`: one row per driver who has not been erased.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Value, Work, vals};

use crate::convert;
use crate::driver::{Driver, Phone, Rating, Standing, Vehicle};

/// Writes a new driver, and what the mesh shares.
pub(crate) async fn add(work: &mut Work, driver: &Driver) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO driver (id, name, phone, standing, plate, model, seats, stars, ratings, registered_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values(driver),
    )
    .await?;
    share(work, driver).await
}

/// Writes what has changed of a driver, and what the mesh shares.
pub(crate) async fn save(work: &mut Work, driver: &Driver) -> Result<(), StoreError> {
    work.exec(
        "UPDATE driver SET name = $2, phone = $3, standing = $4, plate = $5, model = $6, seats = $7, stars = $8,
             ratings = $9, registered_ms = $10
         WHERE id = $1",
        values(driver),
    )
    .await?;
    share(work, driver).await
}

/// Removes a driver for good, from the events that are kept too; the track goes later, piece by piece. Whether there was
/// one.
pub(crate) async fn erase(work: &mut Work, id: &str) -> Result<bool, StoreError> {
    let Some(number) = number(work, id).await? else { return Ok(false) };
    work.exec(
        "INSERT INTO erased_track (driver_number, track_id)
         SELECT driver_number, track_id FROM latest_location WHERE driver_number = $1",
        vals![number],
    )
    .await?;
    // The ratings and the latest location go with it.
    work.exec("DELETE FROM driver WHERE number = $1", vals![number]).await?;
    work.erase::<pb::Driver>(id).await?;
    work.erase::<pb::Permit>(id).await?;
    Ok(true)
}

/// The number that stands for the driver of that id in other tables.
pub(crate) async fn number(queries: &mut impl Queries, id: &str) -> Result<Option<i64>, StoreError> {
    let row = queries.one("SELECT number FROM driver WHERE id = $1", vals![id]).await?;
    row.map(|row| row.get("number")).transpose()
}

/// The driver of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Driver>, StoreError> {
    let row = queries
        .one(
            "SELECT id, name, phone, standing, plate, model, seats, stars, ratings, registered_ms
             FROM driver WHERE id = $1",
            vals![id],
        )
        .await?;
    row.map(from_row).transpose()
}

/// At most `limit` drivers after an id, by id.
pub(crate) async fn after(
    queries: &mut impl Queries,
    id: &str,
    limit: i64,
) -> Result<Vec<Driver>, StoreError> {
    let rows = queries
        .all(
            "SELECT id, name, phone, standing, plate, model, seats, stars, ratings, registered_ms
             FROM driver WHERE id > $1 ORDER BY id LIMIT $2",
            vals![id, limit],
        )
        .await?;
    rows.into_iter().map(from_row).collect()
}

async fn share(work: &mut Work, driver: &Driver) -> Result<(), StoreError> {
    work.put(&convert::entity(driver)).await?;
    work.put(&convert::permit(driver)).await?;
    Ok(())
}

fn values(driver: &Driver) -> Vec<Value> {
    vals![
        driver.id.as_str(),
        driver.name.as_str(),
        driver.phone.as_str(),
        driver.standing.as_str(),
        driver.vehicle.plate.as_str(),
        driver.vehicle.model.as_str(),
        driver.vehicle.seats,
        driver.rating.stars,
        driver.rating.ratings,
        driver.registered_ms,
    ]
}

fn from_row(mut row: Row) -> Result<Driver, StoreError> {
    let (phone, standing): (String, String) = (row.take("phone")?, row.take("standing")?);
    Ok(Driver {
        id: row.take("id")?,
        name: row.take("name")?,
        phone: Phone::parse(&phone).ok_or_else(|| StoreError::decode("phone", "is no phone number"))?,
        standing: Standing::parse(&standing)
            .ok_or_else(|| StoreError::decode("standing", "holds no standing of a driver"))?,
        vehicle: Vehicle { plate: row.take("plate")?, model: row.take("model")?, seats: row.take("seats")? },
        rating: Rating { stars: row.take("stars")?, ratings: row.take("ratings")? },
        registered_ms: row.take("registered_ms")?,
    })
}
