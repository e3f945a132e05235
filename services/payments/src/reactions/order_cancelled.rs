//! An order was cancelled: its money goes back.

use freehold_events::ReactionError;
use freehold_store::Work;

use crate::generated::OrderCancelledView;
use crate::payment::Ask;
use crate::settlement;

/// Refunds the order's payment; whatever state that is in, no money of the order stays with us.
pub(crate) async fn react(work: &mut Work, event: &OrderCancelledView) -> Result<(), ReactionError> {
    settlement::ask(work, &event.order_id, Ask::Refund).await?;
    Ok(())
}
