//! Deletes a product: the row goes, a tombstone stays, and the id is never used again.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::store::{attributes, products};

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteProductError {
    #[error("no product has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeleteProductError> for Status {
    fn from(error: DeleteProductError) -> Self {
        match error {
            DeleteProductError::NotFound(id) => not_found("product", &id),
            DeleteProductError::Store(error) => error.into(),
        }
    }
}

/// Deletes the product of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::DeleteProductResponse>, DeleteProductError> {
    store.write(context, async move |work: &mut Work| delete(work, id).await).await
}

async fn delete(work: &mut Work, id: String) -> Result<pb::DeleteProductResponse, DeleteProductError> {
    work.lock::<pb::Product>(&id).await?;
    if !products::delete(work, &id).await? {
        return Err(DeleteProductError::NotFound(id));
    }
    attributes::delete(work, &id).await?;
    Ok(pb::DeleteProductResponse::default())
}
