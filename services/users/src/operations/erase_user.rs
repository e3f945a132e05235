//! Erases a user: the row goes, a tombstone stays, and the kept events lose the user's data in the same unit of work.

use freehold_sdk::users::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::store::users;

/// Why nobody was erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseUserError {
    #[error("no user has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EraseUserError> for Status {
    fn from(error: EraseUserError) -> Self {
        match error {
            EraseUserError::NotFound(id) => not_found("user", &id),
            EraseUserError::Store(error) => error.into(),
        }
    }
}

/// Erases the user of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::EraseUserResponse>, EraseUserError> {
    store.write(context, async move |work: &mut Work| erase(work, id).await).await
}

async fn erase(work: &mut Work, id: String) -> Result<pb::EraseUserResponse, EraseUserError> {
    work.lock::<pb::User>(&id).await?;
    if !users::erase(work, &id).await? {
        return Err(EraseUserError::NotFound(id));
    }
    Ok(pb::EraseUserResponse::default())
}
