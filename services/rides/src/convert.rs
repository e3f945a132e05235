//! Between rides on the wire and those in here, and from the parts of an answer to the wire.

use std::time::Duration;

use freehold_sdk::drivers::v1 as drivers;
use freehold_sdk::rides::v1 as pb;
use freehold_wire::reason::bad_field;
use tonic::Status;

use crate::generated::{DriverCopy, RiderCopy};
use crate::live::Live;
use crate::part::{Part, Provenance};
use crate::ride::{Point, Ride, State};

/// The ride as the contract describes it.
pub(crate) fn entity(ride: &Ride) -> pb::Ride {
    pb::Ride::default()
        .with_id(ride.id.as_str())
        .with_rider_id(ride.rider_id.as_str())
        .with_driver_id(ride.driver_id.as_str())
        .with_state(state(ride.state))
        .with_pickup(point(ride.pickup))
        .with_destination(point(ride.destination))
        .with_requested_ms(ride.requested_ms)
        .with_accepted_ms(ride.accepted_ms)
        .with_started_ms(ride.started_ms)
        .with_ended_ms(ride.ended_ms)
        .with_reason(ride.reason.as_str())
}

/// A state as the contract describes it.
pub(crate) fn state(state: State) -> pb::RideState {
    match state {
        State::Requested => pb::RideState::Requested,
        State::Accepted => pb::RideState::Accepted,
        State::Started => pb::RideState::Started,
        State::Finished => pb::RideState::Finished,
        State::Cancelled => pb::RideState::Cancelled,
    }
}

/// A place out of the field of that name, whose limits the contract has.
pub(crate) fn place(field: &str, point: Option<pb::Point>) -> Result<Point, Status> {
    let point = point.ok_or_else(|| bad_field(field, "is required"))?;
    Ok(Point { latitude_e7: point.latitude_e7, longitude_e7: point.longitude_e7 })
}

/// Who is driven.
pub(crate) fn rider(part: Part<RiderCopy>) -> pb::RiderPart {
    let name = part.value.map(|rider| rider.name).unwrap_or_default();
    pb::RiderPart::default().with_name(name).with_provenance(provenance(&part.provenance))
}

/// Who drives.
pub(crate) fn driver(part: Part<DriverCopy>) -> pb::DriverPart {
    let driver = part.value.unwrap_or_default();
    pb::DriverPart::default()
        .with_name(driver.name)
        .with_phone(driver.phone)
        .with_provenance(provenance(&part.provenance))
}

/// What the drivers' owner was asked for.
pub(crate) fn live(live: Live) -> pb::LivePart {
    let Live { profile, location } = live;
    let mut part = pb::LivePart::default()
        .with_provenance(provenance(&profile.provenance))
        .with_location_provenance(provenance(&location.provenance));
    if let Some(profile) = profile.value {
        part.rating = profile.rating.map(rating);
        part.vehicle = profile.vehicle.map(vehicle);
    }
    part.location = location.value.map(|at| located(&at));
    part
}

fn point(point: Point) -> pb::Point {
    pb::Point::default().with_latitude_e7(point.latitude_e7).with_longitude_e7(point.longitude_e7)
}

fn rating(rating: drivers::Rating) -> pb::Rating {
    pb::Rating::default().with_hundredths(rating.hundredths).with_ratings(rating.ratings)
}

fn vehicle(vehicle: drivers::Vehicle) -> pb::Vehicle {
    pb::Vehicle::default().with_plate(vehicle.plate).with_model(vehicle.model).with_seats(vehicle.seats)
}

fn located(at: &drivers::Location) -> pb::Location {
    let point = Point { latitude_e7: at.latitude_e7, longitude_e7: at.longitude_e7 };
    let mut location = pb::Location::default().with_point(self::point(point)).with_time_ms(at.time_ms);
    location.heading_degrees = at.heading_degrees;
    location.speed_cm_per_s = at.speed_cm_per_s;
    location
}

fn provenance(provenance: &Provenance) -> pb::Provenance {
    let (source, age, why) = match provenance {
        Provenance::Copy { age, stale } => (pb::Source::Copy, *age, stale.as_ref()),
        Provenance::Owner { age } => (pb::Source::Owner, Some(*age), None),
        Provenance::Nowhere { why } => (pb::Source::None, None, Some(why)),
    };
    let mut told = pb::Provenance::default()
        .with_source(source)
        .with_stale(source == pb::Source::Copy && why.is_some())
        .with_reason(why.map_or("", |why| why.as_str()));
    told.age_ms = age.map(milliseconds);
    told
}

/// Rounded up: nothing is younger than it is said to be.
fn milliseconds(age: Duration) -> i64 {
    i64::try_from(age.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}
