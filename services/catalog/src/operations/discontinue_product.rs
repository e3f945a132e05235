//! Ends the sale of a product. It stays readable, old orders keep its name; a second time changes nothing.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::convert;
use crate::store::products;

/// Why no sale ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscontinueProductError {
    #[error("no product has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiscontinueProductError> for Status {
    fn from(error: DiscontinueProductError) -> Self {
        match error {
            DiscontinueProductError::NotFound(id) => not_found("product", &id),
            DiscontinueProductError::Store(error) => error.into(),
        }
    }
}

/// Ends the sale of the product of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::Product>, DiscontinueProductError> {
    store.write(context, async move |work: &mut Work| discontinue(work, id).await).await
}

async fn discontinue(work: &mut Work, id: String) -> Result<pb::Product, DiscontinueProductError> {
    work.lock::<pb::Product>(&id).await?;
    let Some(mut product) = products::find(work, &id).await? else {
        return Err(DiscontinueProductError::NotFound(id));
    };
    if product.discontinue() {
        products::save(work, &product).await?;
        work.emit(&pb::ProductDiscontinued::default().with_product_id(id)).await?;
    }
    Ok(convert::reply(&product))
}
