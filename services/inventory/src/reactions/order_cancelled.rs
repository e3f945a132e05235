//! An order was cancelled: its stock goes back to the shelf.

use freehold_events::ReactionError;
use freehold_store::Work;

use crate::generated::OrderCancelledView;
use crate::holding;
use crate::reservation::Ask;

/// Releases the order's reservation. One that has left the house contradicts the order: refused.
pub(crate) async fn react(work: &mut Work, event: &OrderCancelledView) -> Result<(), ReactionError> {
    holding::ask(work, &event.order_id, Ask::Release).await?;
    Ok(())
}
