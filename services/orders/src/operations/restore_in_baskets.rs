//! Moves back what a replacement moved; one that never was is marked, so that it is refused when it comes late.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::basket::{Exchange, Replacement, State};
use crate::convert;
use crate::operations::replace_in_baskets::take_both;
use crate::store::{baskets, replacements};

impl From<pb::RestoreInBasketsRequest> for Exchange {
    fn from(request: pb::RestoreInBasketsRequest) -> Self {
        let pb::RestoreInBasketsRequest { id, product_id, by_product_id, .. } = request;
        Self { id, product_id, by_product_id }
    }
}

/// Why nothing was moved back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreInBasketsError {
    #[error("the replacement `{0}` is of other products")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RestoreInBasketsError> for Status {
    fn from(error: RestoreInBasketsError) -> Self {
        match error {
            RestoreInBasketsError::Conflict(_) => {
                Reason::FailedPrecondition.because("REPLACEMENT_CONFLICT", error.to_string())
            }
            RestoreInBasketsError::Store(error) => error.into(),
        }
    }
}

/// Moves the lines back.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    exchange: Exchange,
) -> Result<Committed<pb::Replacement>, RestoreInBasketsError> {
    store.write(context, async move |work: &mut Work| restore(work, exchange).await).await
}

async fn restore(work: &mut Work, exchange: Exchange) -> Result<pb::Replacement, RestoreInBasketsError> {
    take_both(work, &exchange).await?;
    let before = replacements::find(work, &exchange.id).await?;
    if before.as_ref().is_some_and(|before| before.exchange != exchange) {
        return Err(RestoreInBasketsError::Conflict(exchange.id));
    }
    if before.as_ref().is_some_and(|before| before.state == State::Moved) {
        replacements::move_back(work, &exchange).await?;
        baskets::mark_product(work, &exchange.product_id, None).await?;
    }
    let moved_baskets = before.map_or(0, |before| before.moved_baskets);
    let restored = Replacement { exchange, state: State::Restored, moved_baskets };
    replacements::save(work, &restored).await?;
    Ok(convert::replacement(&restored))
}
