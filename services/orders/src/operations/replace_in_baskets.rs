//! Moves the lines of all baskets from one product to another, once per replacement.
//!
//! Orders are left alone: one that is being placed has stock of the old product held for it already, and ends with it,
//! confirmed or rejected. A basket holds nothing, so its lines can be moved without touching stock or money.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::bad_field;
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::basket::{Exchange, Replacement, State, is_too_much};
use crate::convert;
use crate::copies::{Copies, Unorderable};
use crate::store::{baskets, replacements};

impl TryFrom<pb::ReplaceInBasketsRequest> for Exchange {
    type Error = Status;

    fn try_from(request: pb::ReplaceInBasketsRequest) -> Result<Self, Status> {
        let pb::ReplaceInBasketsRequest { id, product_id, by_product_id, .. } = request;
        if product_id == by_product_id {
            return Err(bad_field("by_product_id", "is the product that is to be replaced"));
        }
        Ok(Self { id, product_id, by_product_id })
    }
}

/// Why no line was moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplaceInBasketsError {
    #[error(transparent)]
    Unorderable(#[from] Unorderable),
    #[error("the product `{0}` costs over a tenth more than the one that it is to replace")]
    TooMuch(String),
    #[error("the product `{0}` was replaced already")]
    AlreadyReplaced(String),
    #[error("the replacement `{0}` was taken back")]
    AlreadyRestored(String),
    #[error("the replacement `{0}` is of other products")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReplaceInBasketsError> for Status {
    fn from(error: ReplaceInBasketsError) -> Self {
        let forbidden = |reason| Reason::FailedPrecondition.because(reason, error.to_string());
        match error {
            ReplaceInBasketsError::Unorderable(error) => error.into(),
            ReplaceInBasketsError::TooMuch(_) => forbidden("PRICE_TOO_HIGH"),
            ReplaceInBasketsError::AlreadyReplaced(_) => forbidden("ALREADY_REPLACED"),
            ReplaceInBasketsError::AlreadyRestored(_) => forbidden("ALREADY_RESTORED"),
            ReplaceInBasketsError::Conflict(_) => forbidden("REPLACEMENT_CONFLICT"),
            ReplaceInBasketsError::Store(error) => error.into(),
        }
    }
}

/// Moves the lines.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    copies: &Copies,
    exchange: Exchange,
) -> Result<Committed<pb::Replacement>, ReplaceInBasketsError> {
    let allowed = allow(context, copies, &exchange).await;
    let unit = async move |work: &mut Work| replace(work, exchange, allowed).await;
    store.write(context, unit).await
}

/// The old product may be discontinued, the new one may not, nor may it cost far more.
async fn allow(context: &Context, copies: &Copies, exchange: &Exchange) -> Result<(), ReplaceInBasketsError> {
    let old = copies.known(context, std::slice::from_ref(&exchange.product_id)).await?;
    let new = copies.orderable(context, std::slice::from_ref(&exchange.by_product_id)).await?;
    let too_much =
        old.iter().zip(&new).any(|(old, new)| is_too_much(old.value.price_cents, new.value.price_cents));
    if too_much { Err(ReplaceInBasketsError::TooMuch(exchange.by_product_id.clone())) } else { Ok(()) }
}

/// A replacement that was made is answered again, whatever has become of its products since.
async fn replace(
    work: &mut Work,
    exchange: Exchange,
    allowed: Result<(), ReplaceInBasketsError>,
) -> Result<pb::Replacement, ReplaceInBasketsError> {
    let standing = take_both(work, &exchange).await?;
    if let Some(before) = replacements::find(work, &exchange.id).await? {
        return match before.state {
            _ if before.exchange != exchange => Err(ReplaceInBasketsError::Conflict(exchange.id)),
            State::Restored => Err(ReplaceInBasketsError::AlreadyRestored(exchange.id)),
            State::Moved => Ok(convert::replacement(&before)),
        };
    }
    allowed?;
    if standing.product {
        return Err(ReplaceInBasketsError::AlreadyReplaced(exchange.product_id));
    }
    if standing.by_product {
        return Err(Unorderable::ProductDiscontinued(exchange.by_product_id).into());
    }
    let moved_baskets = replacements::move_lines(work, &exchange).await?;
    baskets::mark_product(work, &exchange.product_id, Some(&exchange.id)).await?;
    let replacement = Replacement { exchange, state: State::Moved, moved_baskets };
    replacements::save(work, &replacement).await?;
    Ok(convert::replacement(&replacement))
}

/// Whether a replacement stands for the one product, and for the other.
pub(crate) struct Standing {
    product: bool,
    by_product: bool,
}

/// Takes the rows of both products, in order.
pub(crate) async fn take_both(work: &mut Work, exchange: &Exchange) -> Result<Standing, StoreError> {
    let Exchange { product_id, by_product_id, .. } = exchange;
    if product_id < by_product_id {
        let product = baskets::take_product(work, product_id).await?.is_some();
        Ok(Standing { product, by_product: baskets::take_product(work, by_product_id).await?.is_some() })
    } else {
        let by_product = baskets::take_product(work, by_product_id).await?.is_some();
        Ok(Standing { product: baskets::take_product(work, product_id).await?.is_some(), by_product })
    }
}
