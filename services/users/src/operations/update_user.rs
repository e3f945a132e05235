//! Changes what is known of a user.

use freehold_sdk::users::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::{bad_field, not_found};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::convert;
use crate::store::users;
use crate::user::{Address, Email};

/// What is to be changed; what is `None` stays.
pub(crate) struct UpdateUser {
    id: String,
    name: Option<String>,
    email: Option<Email>,
    address: Option<Address>,
}

impl TryFrom<pb::UpdateUserRequest> for UpdateUser {
    type Error = Status;

    fn try_from(request: pb::UpdateUserRequest) -> Result<Self, Status> {
        if request.name.as_ref().is_some_and(String::is_empty) {
            return Err(bad_field("name", "must not be emptied"));
        }
        Ok(Self {
            id: request.id,
            name: request.name,
            email: request.email.as_deref().map(convert::email).transpose()?,
            address: request.address.map(|address| convert::address(Some(address))),
        })
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateUserError {
    #[error("no user has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UpdateUserError> for Status {
    fn from(error: UpdateUserError) -> Self {
        match error {
            UpdateUserError::NotFound(id) => not_found("user", &id),
            UpdateUserError::Store(error) => error.into(),
        }
    }
}

/// Changes the user.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: UpdateUser,
) -> Result<Committed<pb::User>, UpdateUserError> {
    store.write(context, async move |work: &mut Work| update(work, command).await).await
}

async fn update(work: &mut Work, command: UpdateUser) -> Result<pb::User, UpdateUserError> {
    work.lock::<pb::User>(&command.id).await?;
    let Some(mut user) = users::find(work, &command.id).await? else {
        return Err(UpdateUserError::NotFound(command.id));
    };
    user.name = command.name.unwrap_or(user.name);
    user.email = command.email.unwrap_or(user.email);
    user.address = command.address.unwrap_or(user.address);
    users::save(work, &user).await?;
    Ok(convert::reply(&user))
}
