//! Changes what is known of a driver.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::{bad_field, not_found};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::convert;
use crate::driver::{Phone, Vehicle};
use crate::store::drivers;

/// What is to be changed; what is `None` stays.
pub(crate) struct UpdateDriver {
    id: String,
    name: Option<String>,
    phone: Option<Phone>,
    vehicle: Option<Vehicle>,
}

impl TryFrom<pb::UpdateDriverRequest> for UpdateDriver {
    type Error = Status;

    fn try_from(request: pb::UpdateDriverRequest) -> Result<Self, Status> {
        if request.name.as_ref().is_some_and(String::is_empty) {
            return Err(bad_field("name", "must not be emptied"));
        }
        Ok(Self {
            id: request.id,
            name: request.name,
            phone: request.phone.as_deref().map(convert::phone).transpose()?,
            vehicle: request.vehicle.map(convert::vehicle),
        })
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateDriverError {
    #[error("no driver has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UpdateDriverError> for Status {
    fn from(error: UpdateDriverError) -> Self {
        match error {
            UpdateDriverError::NotFound(id) => not_found("driver", &id),
            UpdateDriverError::Store(error) => error.into(),
        }
    }
}

/// Changes the driver.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: UpdateDriver,
) -> Result<Committed<pb::DriverProfile>, UpdateDriverError> {
    store.write(context, async move |work: &mut Work| update(work, command).await).await
}

async fn update(work: &mut Work, command: UpdateDriver) -> Result<pb::DriverProfile, UpdateDriverError> {
    work.lock::<pb::Driver>(&command.id).await?;
    let Some(mut driver) = drivers::find(work, &command.id).await? else {
        return Err(UpdateDriverError::NotFound(command.id));
    };
    driver.name = command.name.unwrap_or(driver.name);
    driver.phone = command.phone.unwrap_or(driver.phone);
    driver.vehicle = command.vehicle.unwrap_or(driver.vehicle);
    drivers::save(work, &driver).await?;
    Ok(convert::profile(&driver))
}
