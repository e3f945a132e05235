//! What is asked of the drivers' owner each time, because it changes too often to be copied: rating and vehicle in one
//! call, the location in another, both at once and neither for longer than its share of the caller's time.
//!
//! **Invariant:** an owner that is away costs that share and the part, never the answer.

use std::time::{Duration, Instant};

use freehold_sdk::drivers::v1 as drivers;
use freehold_sdk::drivers::v1::DriversClient;
use freehold_wire::Context;

use crate::part::{Part, Why};
use crate::ride::Ride;

/// How long the drivers' owner may take; of the caller's time at most half.
const BUDGET: Duration = Duration::from_millis(250);

/// The live parts of a driver.
pub(crate) struct Live {
    pub(crate) profile: Part<drivers::DriverProfile>,
    pub(crate) location: Part<drivers::Location>,
}

/// Asks for the live parts of the driver of a ride. `now_ms` tells how old a location is.
pub(crate) async fn ask(client: &DriversClient, context: &Context, ride: &Ride, now_ms: i64) -> Live {
    let client = client.within(context).with_deadline(BUDGET.min(context.remaining() / 2));
    let (profile, location) = tokio::join!(profile(&client, ride), location(&client, ride, now_ms));
    Live { profile, location }
}

async fn profile(client: &DriversClient, ride: &Ride) -> Part<drivers::DriverProfile> {
    let began = Instant::now();
    let request = drivers::BatchGetDriversRequest::default().with_ids([ride.driver_id.as_str()]);
    match client.batch_get_drivers(request).await {
        Err(error) => Part::nowhere(Why::no_answer(&error)),
        Ok(answer) => match answer.drivers.into_iter().next() {
            None => Part::nowhere(Why::DriverUnknown),
            profile => Part::owner(profile, began.elapsed()),
        },
    }
}

async fn location(client: &DriversClient, ride: &Ride, now_ms: i64) -> Part<drivers::Location> {
    if ride.state.is_ended() {
        return Part::nowhere(Why::RideEnded);
    }
    let request = drivers::GetLocationRequest::default().with_driver_id(ride.driver_id.as_str());
    match client.get_location(request).await {
        Err(error) if error.is_not_found() => Part::nowhere(Why::NotLocated),
        Err(error) => Part::nowhere(Why::no_answer(&error)),
        Ok(position) => match position.location {
            None => Part::nowhere(Why::NotLocated),
            Some(location) => {
                // The driver's clock may be ahead of this one.
                let age_ms = u64::try_from(now_ms.saturating_sub(location.time_ms)).unwrap_or(0);
                Part::owner(Some(location), Duration::from_millis(age_ms))
            }
        },
    }
}
