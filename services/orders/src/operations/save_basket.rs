//! Keeps what a customer means to order, in place of what was in the basket. Emptying one is always allowed.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::basket::BasketLine;
use crate::convert;
use crate::copies::{Copies, Unorderable};
use crate::operations::place_order::once;
use crate::store::baskets;

/// What is to be in whose basket.
pub(crate) struct SaveBasket {
    customer_id: String,
    /// By product.
    lines: Vec<BasketLine>,
}

impl From<pb::SaveBasketRequest> for SaveBasket {
    fn from(request: pb::SaveBasketRequest) -> Self {
        let line = |line: pb::BasketLine| BasketLine { product_id: line.product_id, units: line.units };
        let mut lines: Vec<BasketLine> = request.lines.into_iter().map(line).collect();
        // In this order their products are taken, as in any other unit of work.
        lines.sort_by(|one, other| one.product_id.cmp(&other.product_id));
        Self { customer_id: request.customer_id, lines }
    }
}

/// Why a basket stays as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveBasketError {
    #[error(transparent)]
    Unorderable(#[from] Unorderable),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SaveBasketError> for Status {
    fn from(error: SaveBasketError) -> Self {
        match error {
            SaveBasketError::Unorderable(error) => error.into(),
            SaveBasketError::Store(error) => error.into(),
        }
    }
}

/// Refuses what the field checks of the contract cannot see.
///
/// # Errors
/// INVALID_ARGUMENT naming the line whose product another line has.
pub(crate) fn check(request: &pb::SaveBasketRequest) -> Result<(), Status> {
    once(request.lines.iter().map(|line| line.product_id.as_str()))
}

/// Saves the basket.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    copies: &Copies,
    command: SaveBasket,
) -> Result<Committed<pb::Basket>, SaveBasketError> {
    // Of a repetition under its key nobody asks any more whether it is allowed: it has happened.
    let allowed = allow(context, copies, &command).await;
    let unit = async move |work: &mut Work| {
        allowed?;
        save(work, command).await
    };
    store.write(context, unit).await
}

async fn allow(context: &Context, copies: &Copies, command: &SaveBasket) -> Result<(), Unorderable> {
    if command.lines.is_empty() {
        return Ok(());
    }
    copies.customer(context, &command.customer_id).await?;
    let products: Vec<String> = command.lines.iter().map(|line| line.product_id.clone()).collect();
    copies.orderable(context, &products).await.map(drop)
}

async fn save(work: &mut Work, command: SaveBasket) -> Result<pb::Basket, SaveBasketError> {
    let SaveBasket { customer_id, lines } = command;
    for line in &lines {
        // The copy may not have heard yet that the product was discontinued; that it was replaced, this database knows.
        if baskets::take_product(work, &line.product_id).await?.is_some() {
            return Err(Unorderable::ProductDiscontinued(line.product_id.clone()).into());
        }
    }
    baskets::save(work, &customer_id, &lines).await?;
    Ok(convert::basket(&customer_id, &lines))
}
