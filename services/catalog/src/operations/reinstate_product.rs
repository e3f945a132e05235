//! Takes a discontinuation back; one that never was is marked, so that it is refused when it comes late.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::discontinuation::{Discontinuation, Standing};
use crate::product::Product;
use crate::store::{discontinuations, products};

/// Which discontinuation is to be taken back.
pub(crate) struct ReinstateProduct {
    product_id: String,
    id: String,
}

impl From<pb::ReinstateProductRequest> for ReinstateProduct {
    fn from(request: pb::ReinstateProductRequest) -> Self {
        Self { product_id: request.id, id: request.discontinuation_id }
    }
}

/// Why nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReinstateProductError {
    #[error("the discontinuation `{0}` is of another product")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReinstateProductError> for Status {
    fn from(error: ReinstateProductError) -> Self {
        match error {
            ReinstateProductError::Conflict(_) => {
                Reason::FailedPrecondition.because("DISCONTINUATION_CONFLICT", error.to_string())
            }
            ReinstateProductError::Store(error) => error.into(),
        }
    }
}

/// Takes it back.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: ReinstateProduct,
) -> Result<Committed<pb::ReinstateProductResponse>, ReinstateProductError> {
    store.write(context, async move |work: &mut Work| reinstate(work, command).await).await
}

async fn reinstate(
    work: &mut Work,
    command: ReinstateProduct,
) -> Result<pb::ReinstateProductResponse, ReinstateProductError> {
    let ReinstateProduct { product_id, id } = command;
    work.lock::<pb::Product>(&product_id).await?;
    let mut product = products::find(work, &product_id).await?;
    let before = discontinuations::find(work, &id).await?;
    if before.as_ref().is_some_and(|before| before.product_id != product_id) {
        return Err(ReinstateProductError::Conflict(id));
    }
    let standing = before.map(|before| before.standing);
    discontinuations::save(work, &Discontinuation { id, product_id, standing: Standing::Reinstated }).await?;
    if let Some(product) = product.as_mut().filter(|_| standing == Some(Standing::Revocable)) {
        sell_again(work, product).await?;
    }
    let mut response = pb::ReinstateProductResponse::default();
    response.product = product.as_ref().map(convert::reply);
    Ok(response)
}

async fn sell_again(work: &mut Work, product: &mut Product) -> Result<(), StoreError> {
    if product.reinstate() {
        products::save(work, product).await?;
        work.emit(&pb::ProductReinstated::default().with_product_id(product.id.as_str())).await?;
    }
    Ok(())
}
