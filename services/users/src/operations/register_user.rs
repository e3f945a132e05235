//! Registers a user under an id that nobody has or had.

use freehold_sdk::users::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::store::users;
use crate::user::{Address, Email, User};

/// Who is to be registered.
pub(crate) struct RegisterUser {
    id: String,
    name: String,
    email: Email,
    address: Address,
    note: String,
}

impl TryFrom<pb::RegisterUserRequest> for RegisterUser {
    type Error = Status;

    fn try_from(request: pb::RegisterUserRequest) -> Result<Self, Status> {
        Ok(Self {
            email: convert::email(&request.email)?,
            id: request.id,
            name: request.name,
            address: convert::address(request.address),
            note: request.note,
        })
    }
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterUserError {
    #[error("the id `{0}` is taken, or was until its user was erased")]
    Exists(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RegisterUserError> for Status {
    fn from(error: RegisterUserError) -> Self {
        match error {
            RegisterUserError::Exists(_) => {
                Reason::FailedPrecondition.because("USER_EXISTS", error.to_string())
            }
            RegisterUserError::Store(error) => error.into(),
        }
    }
}

/// Registers the user.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: RegisterUser,
) -> Result<Committed<pb::User>, RegisterUserError> {
    store.write(context, async move |work: &mut Work| register(work, command).await).await
}

async fn register(work: &mut Work, command: RegisterUser) -> Result<pb::User, RegisterUserError> {
    if work.lock::<pb::User>(&command.id).await?.is_some() {
        return Err(RegisterUserError::Exists(command.id));
    }
    let user = User {
        id: command.id,
        name: command.name,
        email: command.email,
        address: command.address,
        note: command.note,
        registered_ms: work.now(),
    };
    users::save(work, &user).await?;
    Ok(convert::reply(&user))
}
