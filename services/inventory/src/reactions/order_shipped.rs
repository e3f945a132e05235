//! An order was shipped: its stock leaves the house.

use freehold_events::ReactionError;
use freehold_store::Work;

use crate::generated::OrderShippedView;
use crate::holding;
use crate::reservation::Ask;

/// Ships the order's reservation. One that was released, or never was, contradicts the order: refused.
pub(crate) async fn react(work: &mut Work, event: &OrderShippedView) -> Result<(), ReactionError> {
    holding::ask(work, &event.order_id, Ask::Ship).await?;
    Ok(())
}
