//! Registers a driver under an id that none has or had.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::bad_field;
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::driver::{Driver, Phone, Rating, Standing, Vehicle};
use crate::store::drivers;

/// Who is to be registered.
pub(crate) struct RegisterDriver {
    id: String,
    name: String,
    phone: Phone,
    vehicle: Vehicle,
}

impl TryFrom<pb::RegisterDriverRequest> for RegisterDriver {
    type Error = Status;

    fn try_from(request: pb::RegisterDriverRequest) -> Result<Self, Status> {
        let vehicle = request.vehicle.ok_or_else(|| bad_field("vehicle", "is required"))?;
        Ok(Self {
            id: request.id,
            name: request.name,
            phone: convert::phone(&request.phone)?,
            vehicle: convert::vehicle(vehicle),
        })
    }
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterDriverError {
    #[error("the id `{0}` is taken, or was until its driver was erased")]
    Exists(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RegisterDriverError> for Status {
    fn from(error: RegisterDriverError) -> Self {
        match error {
            RegisterDriverError::Exists(_) => {
                Reason::FailedPrecondition.because("DRIVER_EXISTS", error.to_string())
            }
            RegisterDriverError::Store(error) => error.into(),
        }
    }
}

/// Registers the driver, in good standing.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: RegisterDriver,
) -> Result<Committed<pb::DriverProfile>, RegisterDriverError> {
    store.write(context, async move |work: &mut Work| register(work, command).await).await
}

async fn register(
    work: &mut Work,
    command: RegisterDriver,
) -> Result<pb::DriverProfile, RegisterDriverError> {
    if work.lock::<pb::Driver>(&command.id).await?.is_some() {
        return Err(RegisterDriverError::Exists(command.id));
    }
    let driver = Driver {
        id: command.id,
        name: command.name,
        phone: command.phone,
        standing: Standing::Good,
        vehicle: command.vehicle,
        rating: Rating::default(),
        registered_ms: work.now(),
    };
    drivers::add(work, &driver).await?;
    Ok(convert::profile(&driver))
}
