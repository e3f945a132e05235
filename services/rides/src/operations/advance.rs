//! What starting, finishing and cancelling share: a ride is locked, comes one state further, and is told of.

use freehold_sdk::rides::v1 as pb;
use freehold_store::{StoreError, Work};
use freehold_wire::Reason;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::ride::{Ride, WrongState};
use crate::store::rides;

/// Why a ride stays where it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdvanceError {
    #[error("no ride has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    WrongState(#[from] WrongState),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AdvanceError> for Status {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::NotFound(id) => not_found("ride", &id),
            AdvanceError::WrongState(_) => {
                Reason::FailedPrecondition.because("WRONG_STATE", error.to_string())
            }
            AdvanceError::Store(error) => error.into(),
        }
    }
}

/// The ride as `decide` says, at the time that it is given.
pub(crate) async fn advance(
    work: &mut Work,
    id: String,
    decide: impl FnOnce(Ride, i64) -> Result<Ride, WrongState>,
) -> Result<pb::Ride, AdvanceError> {
    let Some(ride) = rides::lock(work, &id).await? else { return Err(AdvanceError::NotFound(id)) };
    let ride = decide(ride, work.now())?;
    rides::save(work, &ride).await?;
    Ok(convert::entity(&ride))
}
