//! A driver takes a ride that waits for one, by a permit that is young enough to rest on.
//!
//! How young the copy of permits has to be is decided before the unit of work; the permit itself is read in it, as it
//! stands then, and the version by which the ride was taken is kept with the ride.

use freehold_replica::{Replica, ReplicaError};
use freehold_sdk::drivers::v1::Standing;
use freehold_sdk::rides::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::copies::Copies;
use crate::generated::PermitCopy;
use crate::operations::advance::AdvanceError;
use crate::ride::{Permitted, WrongState};
use crate::store::rides;

/// Why a ride was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcceptRideError {
    #[error(transparent)]
    Advance(#[from] AdvanceError),
    #[error("no driver has the id `{0}`")]
    DriverUnknown(String),
    #[error("the driver `{0}` may not take rides")]
    DriverSuspended(String),
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

impl From<AcceptRideError> for Status {
    fn from(error: AcceptRideError) -> Self {
        let forbidden = |reason| Reason::FailedPrecondition.because(reason, error.to_string());
        match error {
            AcceptRideError::Advance(error) => error.into(),
            AcceptRideError::DriverUnknown(_) => forbidden("DRIVER_UNKNOWN"),
            AcceptRideError::DriverSuspended(_) => forbidden("DRIVER_SUSPENDED"),
            // Only the owner could have told whether the copy has what the caller has seen.
            AcceptRideError::Replica(ReplicaError::Owner(_)) => {
                Reason::Unavailable.because("COPY_BEHIND", error.to_string())
            }
            AcceptRideError::Replica(error) => error.into(),
        }
    }
}

impl From<StoreError> for AcceptRideError {
    fn from(error: StoreError) -> Self {
        Self::Advance(error.into())
    }
}

impl From<WrongState> for AcceptRideError {
    fn from(error: WrongState) -> Self {
        Self::Advance(error.into())
    }
}

/// Gives the ride to the driver.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    copies: &Copies,
    request: pb::AcceptRideRequest,
) -> Result<Committed<pb::Ride>, AcceptRideError> {
    // What has been taken is answered again under its key, whatever the copy is worth now.
    let young = copies.permits(context).await;
    store.write(context, async move |work: &mut Work| accept(work, request, young).await).await
}

async fn accept(
    work: &mut Work,
    request: pb::AcceptRideRequest,
    young: Result<(), ReplicaError>,
) -> Result<pb::Ride, AcceptRideError> {
    let Some(ride) = rides::lock(work, &request.id).await? else {
        return Err(AdvanceError::NotFound(request.id).into());
    };
    ride.may_be_accepted()?;
    young?;
    let ride = ride.accept(permitted(work, request.driver_id).await?, work.now())?;
    rides::save(work, &ride).await?;
    Ok(convert::entity(&ride))
}

async fn permitted(work: &mut Work, driver_id: String) -> Result<Permitted, AcceptRideError> {
    match Replica::<PermitCopy>::get(work, &driver_id).await? {
        None => Err(AcceptRideError::DriverUnknown(driver_id)),
        Some(permit) if permit.value.standing == i32::from(Standing::Good) => {
            Ok(Permitted { driver_id, permit_version: permit.version })
        }
        // A standing that this version does not know is none to drive by.
        Some(_) => Err(AcceptRideError::DriverSuspended(driver_id)),
    }
}
