//! Ends the sale of a product. It stays readable, old orders keep its name; a second time changes nothing.
//!
//! With a name it happens once under that name and can be taken back, unless it was before it came. Without one it is
//! for good, also where the sale had ended under a name before.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::discontinuation::{Discontinuation, Standing};
use crate::product::Product;
use crate::store::{discontinuations, products};

/// Which sale is to end, and how.
pub(crate) struct DiscontinueProduct {
    product_id: String,
    /// The discontinuation's name; empty where it has none.
    id: String,
}

impl From<pb::DiscontinueProductRequest> for DiscontinueProduct {
    fn from(request: pb::DiscontinueProductRequest) -> Self {
        Self { product_id: request.id, id: request.discontinuation_id }
    }
}

/// Why no sale ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscontinueProductError {
    #[error("no product has the id `{0}`")]
    NotFound(String),
    #[error("the product `{0}` is discontinued already")]
    AlreadyDiscontinued(String),
    #[error("the discontinuation `{0}` was taken back")]
    AlreadyReinstated(String),
    #[error("the discontinuation `{0}` is of another product")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiscontinueProductError> for Status {
    fn from(error: DiscontinueProductError) -> Self {
        let forbidden = |reason| Reason::FailedPrecondition.because(reason, error.to_string());
        match error {
            DiscontinueProductError::NotFound(id) => not_found("product", &id),
            DiscontinueProductError::AlreadyDiscontinued(_) => forbidden("ALREADY_DISCONTINUED"),
            DiscontinueProductError::AlreadyReinstated(_) => forbidden("ALREADY_REINSTATED"),
            DiscontinueProductError::Conflict(_) => forbidden("DISCONTINUATION_CONFLICT"),
            DiscontinueProductError::Store(error) => error.into(),
        }
    }
}

/// Ends the sale.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: DiscontinueProduct,
) -> Result<Committed<pb::Product>, DiscontinueProductError> {
    store.write(context, async move |work: &mut Work| discontinue(work, command).await).await
}

async fn discontinue(
    work: &mut Work,
    command: DiscontinueProduct,
) -> Result<pb::Product, DiscontinueProductError> {
    let DiscontinueProduct { product_id, id } = command;
    work.lock::<pb::Product>(&product_id).await?;
    let found = products::find(work, &product_id).await?;
    let mut product = if id.is_empty() {
        discontinuations::make_final(work, &product_id).await?;
        found.ok_or(DiscontinueProductError::NotFound(product_id))?
    } else {
        match named(work, found, product_id, id).await? {
            Named::Again(product) => return Ok(convert::reply(&product)),
            Named::New(product) => product,
        }
    };
    if product.discontinue() {
        products::save(work, &product).await?;
        work.emit(&pb::ProductDiscontinued::default().with_product_id(product.id.as_str())).await?;
    }
    Ok(convert::reply(&product))
}

/// What a name that is allowed says of its product.
enum Named {
    /// The sale ended under it before.
    Again(Product),
    /// It is to end under it now.
    New(Product),
}

async fn named(
    work: &mut Work,
    found: Option<Product>,
    product_id: String,
    id: String,
) -> Result<Named, DiscontinueProductError> {
    let before = discontinuations::find(work, &id).await?;
    if before.as_ref().is_some_and(|before| before.product_id != product_id) {
        return Err(DiscontinueProductError::Conflict(id));
    }
    if before.as_ref().is_some_and(|before| before.standing == Standing::Reinstated) {
        return Err(DiscontinueProductError::AlreadyReinstated(id));
    }
    let Some(product) = found else { return Err(DiscontinueProductError::NotFound(product_id)) };
    if before.is_some() {
        return Ok(Named::Again(product));
    }
    if product.is_discontinued() {
        return Err(DiscontinueProductError::AlreadyDiscontinued(product_id));
    }
    let standing = Discontinuation { id, product_id, standing: Standing::Revocable };
    discontinuations::save(work, &standing).await?;
    Ok(Named::New(product))
}
