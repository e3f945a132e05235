//! Cancels a confirmed order; inventory and payments give back as reactions to the event.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::operations::end_order::{EndOrderError, end};

/// Cancels the order.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: pb::CancelOrderRequest,
) -> Result<Committed<pb::Order>, EndOrderError> {
    let unit = async move |work: &mut Work| {
        end(work, request.id, request.revision, |order| order.cancel(&request.reason)).await
    };
    store.write(context, unit).await
}
