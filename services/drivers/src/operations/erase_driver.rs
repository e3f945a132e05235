//! Erases a driver: nobody finds anything of it from now on, a tombstone stays, and the kept events lose the driver's data
//! in the same unit of work.
//!
//! A track may have more rows than a unit of work should remove. It is left under a number that leads nowhere, and goes
//! piece by piece right after.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::store::drivers;

/// Why nobody was erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseDriverError {
    #[error("no driver has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EraseDriverError> for Status {
    fn from(error: EraseDriverError) -> Self {
        match error {
            EraseDriverError::NotFound(id) => not_found("driver", &id),
            EraseDriverError::Store(error) => error.into(),
        }
    }
}

/// Erases the driver of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::EraseDriverResponse>, EraseDriverError> {
    store.write(context, async move |work: &mut Work| erase(work, id).await).await
}

async fn erase(work: &mut Work, id: String) -> Result<pb::EraseDriverResponse, EraseDriverError> {
    work.lock::<pb::Driver>(&id).await?;
    if !drivers::erase(work, &id).await? {
        return Err(EraseDriverError::NotFound(id));
    }
    Ok(pb::EraseDriverResponse::default())
}
