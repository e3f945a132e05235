//! Changes a product's price; the same price again changes nothing and tells nobody.
//!
//! A discontinued product takes a new price too: discontinuing says that it cannot be ordered, not that nobody may
//! correct its figures, and the two commands may arrive in either order.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::convert;
use crate::store::products;

/// Which price becomes which.
pub(crate) struct ChangePrice {
    id: String,
    price_cents: i64,
}

impl From<pb::ChangePriceRequest> for ChangePrice {
    fn from(request: pb::ChangePriceRequest) -> Self {
        Self { id: request.id, price_cents: request.price_cents }
    }
}

/// Why no price changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangePriceError {
    #[error("no product has the id `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangePriceError> for Status {
    fn from(error: ChangePriceError) -> Self {
        match error {
            ChangePriceError::NotFound(id) => not_found("product", &id),
            ChangePriceError::Store(error) => error.into(),
        }
    }
}

/// Changes the price.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: ChangePrice,
) -> Result<Committed<pb::Product>, ChangePriceError> {
    store.write(context, async move |work: &mut Work| change(work, command).await).await
}

async fn change(work: &mut Work, command: ChangePrice) -> Result<pb::Product, ChangePriceError> {
    work.lock::<pb::Product>(&command.id).await?;
    let Some(mut product) = products::find(work, &command.id).await? else {
        return Err(ChangePriceError::NotFound(command.id));
    };
    if let Some(old_cents) = product.reprice(command.price_cents) {
        products::save(work, &product).await?;
        let changed = pb::PriceChanged::default()
            .with_product_id(product.id.as_str())
            .with_old_cents(old_cents)
            .with_new_cents(product.price_cents);
        work.emit(&changed).await?;
    }
    Ok(convert::reply(&product))
}
