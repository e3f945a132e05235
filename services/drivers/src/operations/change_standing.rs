//! Says whether a driver may take rides; the same again changes nothing and tells nobody.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::convert;
use crate::driver::Standing;
use crate::store::drivers;

/// Who is in which standing from now on.
pub(crate) struct ChangeStanding {
    id: String,
    standing: Standing,
}

impl TryFrom<pb::ChangeStandingRequest> for ChangeStanding {
    type Error = Status;

    fn try_from(request: pb::ChangeStandingRequest) -> Result<Self, Status> {
        Ok(Self { standing: convert::chosen_standing(request.standing)?, id: request.id })
    }
}

/// Why no standing changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeStandingError {
    #[error("no driver has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeStandingError> for Status {
    fn from(error: ChangeStandingError) -> Self {
        match error {
            ChangeStandingError::NotFound(id) => not_found("driver", &id),
            ChangeStandingError::Store(error) => error.into(),
        }
    }
}

/// Changes the standing.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: ChangeStanding,
) -> Result<Committed<pb::DriverProfile>, ChangeStandingError> {
    store.write(context, async move |work: &mut Work| change(work, command).await).await
}

async fn change(work: &mut Work, command: ChangeStanding) -> Result<pb::DriverProfile, ChangeStandingError> {
    work.lock::<pb::Driver>(&command.id).await?;
    let Some(mut driver) = drivers::find(work, &command.id).await? else {
        return Err(ChangeStandingError::NotFound(command.id));
    };
    driver.standing = command.standing;
    drivers::save(work, &driver).await?;
    Ok(convert::profile(&driver))
}
