//! Ships a confirmed order; inventory takes the stock out as a reaction to the event.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::operations::end_order::{EndOrderError, end};
use crate::order::Order;

/// Ships the order.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: pb::ShipOrderRequest,
) -> Result<Committed<pb::Order>, EndOrderError> {
    let unit = async move |work: &mut Work| end(work, request.id, request.revision, Order::ship).await;
    store.write(context, unit).await
}
