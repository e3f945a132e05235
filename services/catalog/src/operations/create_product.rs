//! Creates a product under an id that none has or had.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::product::{Product, State};
use crate::store::products;

/// What is to be created.
pub(crate) struct CreateProduct {
    product: Product,
}

impl From<pb::CreateProductRequest> for CreateProduct {
    fn from(request: pb::CreateProductRequest) -> Self {
        let product = Product {
            id: request.id,
            name: request.name,
            price_cents: request.price_cents,
            cost_cents: request.cost_cents,
            buyer_email: request.buyer_email,
            state: State::Active,
            category: request.category,
        };
        Self { product }
    }
}

/// Why nothing was created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateProductError {
    #[error("the id `{0}` is taken, or was until its product was deleted")]
    Exists(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CreateProductError> for Status {
    fn from(error: CreateProductError) -> Self {
        match error {
            CreateProductError::Exists(_) => {
                Reason::FailedPrecondition.because("PRODUCT_EXISTS", error.to_string())
            }
            CreateProductError::Store(error) => error.into(),
        }
    }
}

/// Creates the product.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: CreateProduct,
) -> Result<Committed<pb::Product>, CreateProductError> {
    store.write(context, async move |work: &mut Work| create(work, &command.product).await).await
}

async fn create(work: &mut Work, product: &Product) -> Result<pb::Product, CreateProductError> {
    if work.lock::<pb::Product>(&product.id).await?.is_some() {
        return Err(CreateProductError::Exists(product.id.clone()));
    }
    products::save(work, product).await?;
    Ok(convert::reply(product))
}
