//! Reads a ride with its driver: own rows, copies, and what only the drivers' owner can tell, all at once.

use freehold_sdk::rides::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::copies::{Copies, shown};
use crate::generated::Calls;
use crate::ride::Ride;
use crate::store::rides;
use crate::{convert, live};

/// The ride of that id, with whatever can be had of the rest in time.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    copies: &Copies,
    calls: &Calls,
    id: &str,
) -> Result<pb::GetRideResponse, Status> {
    let found = rides::find(&mut store.read_within(context).await?, id).await?;
    let ride = found.ok_or_else(|| not_found("ride", id))?;
    let rider =
        async { Ok::<_, Status>(convert::rider(shown(&copies.riders, context, &ride.rider_id).await?)) };
    let (rider, drives) = tokio::try_join!(rider, drives(context, store, copies, calls, &ride))?;
    let mut answer = pb::GetRideResponse::default().with_ride(convert::entity(&ride)).with_rider(rider);
    if let Some((driver, live)) = drives {
        answer = answer.with_driver(driver).with_live(live);
    }
    Ok(answer)
}

/// Who drives; nobody until the ride is accepted.
async fn drives(
    context: &Context,
    store: &Store,
    copies: &Copies,
    calls: &Calls,
    ride: &Ride,
) -> Result<Option<(pb::DriverPart, pb::LivePart)>, Status> {
    if ride.driver_id.is_empty() {
        return Ok(None);
    }
    let copied = shown(&copies.drivers, context, &ride.driver_id);
    let asked = live::ask(&calls.drivers, context, ride, store.now());
    let (copied, asked) = tokio::join!(copied, asked);
    Ok(Some((convert::driver(copied?), convert::live(asked))))
}
