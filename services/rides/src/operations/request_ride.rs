//! Requests a ride for a rider whom the copy knows.
//!
//! The copy is served stale where its owner is away: whom it knows may ride. Only a copy that is up to date can say that
//! there is no such rider.

use freehold_replica::{Replica, ReplicaError};
use freehold_sdk::rides::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::copies::Copies;
use crate::generated::RiderCopy;
use crate::ride::{Point, Ride};
use crate::store::rides;

/// Who wants to be driven from where to where.
pub(crate) struct RequestRide {
    id: String,
    rider_id: String,
    /// The pickup, and the destination.
    way: [Point; 2],
}

impl TryFrom<pb::RequestRideRequest> for RequestRide {
    type Error = Status;

    fn try_from(request: pb::RequestRideRequest) -> Result<Self, Status> {
        let pickup = convert::place("pickup", request.pickup)?;
        let destination = convert::place("destination", request.destination)?;
        Ok(Self { id: request.id, rider_id: request.rider_id, way: [pickup, destination] })
    }
}

/// Why no ride was requested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestRideError {
    #[error("the id `{0}` names another ride")]
    Exists(String),
    #[error("no rider has the id `{0}`")]
    RiderUnknown(String),
    #[error("whether there is a rider `{0}` cannot be told: the copy of riders is too old")]
    RiderUncertain(String),
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RequestRideError> for Status {
    fn from(error: RequestRideError) -> Self {
        let forbidden = |reason| Reason::FailedPrecondition.because(reason, error.to_string());
        match error {
            RequestRideError::Exists(_) => forbidden("RIDE_EXISTS"),
            RequestRideError::RiderUnknown(_) => forbidden("RIDER_UNKNOWN"),
            RequestRideError::RiderUncertain(_) => {
                Reason::Unavailable.because("COPY_STALE", error.to_string())
            }
            RequestRideError::Replica(error) => error.into(),
            RequestRideError::Store(error) => error.into(),
        }
    }
}

/// Requests the ride.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    copies: &Copies,
    command: RequestRide,
) -> Result<Committed<pb::Ride>, RequestRideError> {
    // What has been requested is answered again under its key, whatever the copy is worth now.
    let certain = copies.riders(context).await;
    store.write(context, async move |work: &mut Work| request(work, command, certain).await).await
}

async fn request(
    work: &mut Work,
    command: RequestRide,
    certain: Result<bool, ReplicaError>,
) -> Result<pb::Ride, RequestRideError> {
    if rides::lock(work, &command.id).await?.is_some() {
        return Err(RequestRideError::Exists(command.id));
    }
    let certain = certain?;
    if Replica::<RiderCopy>::get(work, &command.rider_id).await?.is_none() {
        let unknown = if certain { RequestRideError::RiderUnknown } else { RequestRideError::RiderUncertain };
        return Err(unknown(command.rider_id));
    }
    let ride = Ride::request(command.id, command.rider_id, command.way, work.now());
    rides::save(work, &ride).await?;
    Ok(convert::entity(&ride))
}
