//! The table `ride`: one row per ride, for ever. Whoever writes it shares the ride and tells what has become of it.

use freehold_sdk::rides::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Value, Work, vals};

use crate::convert;
use crate::ride::{Point, Ride, State};

/// The ride of that id, locked until the end of the unit of work.
pub(crate) async fn lock(work: &mut Work, id: &str) -> Result<Option<Ride>, StoreError> {
    work.lock::<pb::Ride>(id).await?;
    find(work, id).await
}

/// The ride of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Ride>, StoreError> {
    let row = queries
        .one(
            "SELECT id, rider_id, driver_id, state, pickup_latitude_e7, pickup_longitude_e7,
                 destination_latitude_e7, destination_longitude_e7, requested_ms, accepted_ms, started_ms, ended_ms,
                 reason, permit_version
             FROM ride WHERE id = $1",
            vals![id],
        )
        .await?;
    row.map(from_row).transpose()
}

/// Writes a ride that has come one state further.
pub(crate) async fn save(work: &mut Work, ride: &Ride) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO ride (id, rider_id, driver_id, state, pickup_latitude_e7, pickup_longitude_e7,
             destination_latitude_e7, destination_longitude_e7, requested_ms, accepted_ms, started_ms, ended_ms,
             reason, permit_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET driver_id = excluded.driver_id, state = excluded.state,
             accepted_ms = excluded.accepted_ms, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms,
             reason = excluded.reason, permit_version = excluded.permit_version",
        values(ride),
    )
    .await?;
    work.put(&convert::entity(ride)).await?;
    tell(work, ride).await
}

/// Tells how far the ride has come; each state is entered once.
async fn tell(work: &mut Work, ride: &Ride) -> Result<(), StoreError> {
    let (id, rider, driver) = (ride.id.as_str(), ride.rider_id.as_str(), ride.driver_id.as_str());
    match ride.state {
        State::Requested => {
            work.emit(&pb::RideRequested::default().with_ride_id(id).with_rider_id(rider)).await?;
        }
        State::Accepted => {
            let accepted = pb::RideAccepted::default().with_ride_id(id).with_rider_id(rider);
            work.emit(&accepted.with_driver_id(driver)).await?;
        }
        State::Started => {
            let started = pb::RideStarted::default().with_ride_id(id).with_rider_id(rider);
            work.emit(&started.with_driver_id(driver)).await?;
        }
        State::Finished => {
            let finished = pb::RideFinished::default().with_ride_id(id).with_rider_id(rider);
            work.emit(&finished.with_driver_id(driver)).await?;
        }
        State::Cancelled => {
            let cancelled = pb::RideCancelled::default().with_ride_id(id).with_rider_id(rider);
            work.emit(&cancelled.with_driver_id(driver).with_reason(ride.reason.as_str())).await?;
        }
    }
    Ok(())
}

fn values(ride: &Ride) -> Vec<Value> {
    vals![
        ride.id.as_str(),
        ride.rider_id.as_str(),
        ride.driver_id.as_str(),
        ride.state.as_str(),
        ride.pickup.latitude_e7,
        ride.pickup.longitude_e7,
        ride.destination.latitude_e7,
        ride.destination.longitude_e7,
        ride.requested_ms,
        ride.accepted_ms,
        ride.started_ms,
        ride.ended_ms,
        ride.reason.as_str(),
        ride.permit_version,
    ]
}

fn from_row(mut row: Row) -> Result<Ride, StoreError> {
    let pickup = Point {
        latitude_e7: row.take("pickup_latitude_e7")?,
        longitude_e7: row.take("pickup_longitude_e7")?,
    };
    let destination = Point {
        latitude_e7: row.take("destination_latitude_e7")?,
        longitude_e7: row.take("destination_longitude_e7")?,
    };
    Ok(Ride {
        id: row.take("id")?,
        rider_id: row.take("rider_id")?,
        driver_id: row.take("driver_id")?,
        state: state(&mut row)?,
        pickup,
        destination,
        requested_ms: row.take("requested_ms")?,
        accepted_ms: row.take("accepted_ms")?,
        started_ms: row.take("started_ms")?,
        ended_ms: row.take("ended_ms")?,
        reason: row.take("reason")?,
        permit_version: row.take("permit_version")?,
    })
}

/// The state behind the word in a row.
pub(super) fn state(row: &mut Row) -> Result<State, StoreError> {
    let word: String = row.take("state")?;
    State::parse(&word).ok_or_else(|| StoreError::decode("state", "holds no state of a ride"))
}
