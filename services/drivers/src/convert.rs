//! Between drivers and locations on the wire and those in here.

use freehold_sdk::drivers::v1 as pb;
use freehold_wire::reason::bad_field;
use tonic::Status;

use crate::driver::{Driver, Phone, Rating, Standing, Vehicle};
use crate::location::Location;

/// What the mesh shares of a driver.
pub(crate) fn entity(driver: &Driver) -> pb::Driver {
    pb::Driver::default()
        .with_id(driver.id.as_str())
        .with_name(driver.name.as_str())
        .with_phone(driver.phone.as_str())
        .with_registered_ms(driver.registered_ms)
}

/// What the mesh shares of what a driver may do.
pub(crate) fn permit(driver: &Driver) -> pb::Permit {
    pb::Permit::default().with_driver_id(driver.id.as_str()).with_standing(standing(driver.standing))
}

/// All there is to tell of a driver.
pub(crate) fn profile(driver: &Driver) -> pb::DriverProfile {
    let vehicle = pb::Vehicle::default()
        .with_plate(driver.vehicle.plate.as_str())
        .with_model(driver.vehicle.model.as_str())
        .with_seats(driver.vehicle.seats);
    pb::DriverProfile::default()
        .with_driver(entity(driver))
        .with_standing(standing(driver.standing))
        .with_vehicle(vehicle)
        .with_rating(rating(driver.rating))
}

/// What riders think.
pub(crate) fn rating(rating: Rating) -> pb::Rating {
    pb::Rating::default().with_hundredths(rating.hundredths()).with_ratings(rating.ratings)
}

/// Where which driver was.
pub(crate) fn position(driver_id: &str, at: &Location) -> pb::Position {
    pb::Position::default().with_driver_id(driver_id).with_location(location(at))
}

/// Where a driver was.
pub(crate) fn location(at: &Location) -> pb::Location {
    let mut location = pb::Location::default()
        .with_latitude_e7(at.latitude_e7)
        .with_longitude_e7(at.longitude_e7)
        .with_time_ms(at.time_ms);
    location.heading_degrees = at.heading_degrees;
    location.speed_cm_per_s = at.speed_cm_per_s;
    location
}

/// A location out of the field `location`, whose limits the contract has.
pub(crate) fn reported(location: Option<pb::Location>) -> Result<Location, Status> {
    let location = location.ok_or_else(|| bad_field("location", "is required"))?;
    Ok(Location {
        time_ms: location.time_ms,
        latitude_e7: location.latitude_e7,
        longitude_e7: location.longitude_e7,
        heading_degrees: location.heading_degrees,
        speed_cm_per_s: location.speed_cm_per_s,
    })
}

/// A phone number out of the field `phone`.
pub(crate) fn phone(text: &str) -> Result<Phone, Status> {
    Phone::parse(text).ok_or_else(|| bad_field("phone", "must be a phone number, such as +49 30 1234567"))
}

/// A vehicle out of the field `vehicle`, whose limits the contract has.
pub(crate) fn vehicle(vehicle: pb::Vehicle) -> Vehicle {
    Vehicle { plate: vehicle.plate, model: vehicle.model, seats: vehicle.seats }
}

/// A standing out of the field `standing`.
pub(crate) fn chosen_standing(number: i32) -> Result<Standing, Status> {
    match pb::Standing::try_from(number) {
        Ok(pb::Standing::Good) => Ok(Standing::Good),
        Ok(pb::Standing::Suspended) => Ok(Standing::Suspended),
        _ => Err(bad_field("standing", "must be STANDING_GOOD or STANDING_SUSPENDED")),
    }
}

fn standing(standing: Standing) -> pb::Standing {
    match standing {
        Standing::Good => pb::Standing::Good,
        Standing::Suspended => pb::Standing::Suspended,
    }
}
