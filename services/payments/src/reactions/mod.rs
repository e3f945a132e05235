//! What payments does when something happens to an order, a file per event.
//!
//! The inbox lets each event take effect once. An event that the state of its payment forbids can never succeed: it is
//! refused at once, and its key waits for a human instead of for retries.

pub(crate) mod order_cancelled;

use freehold_events::{Delivered, ReactionError};
use freehold_store::Work;

use crate::generated::{OrderCancelledView, Reactions};
use crate::settlement::SettlementError;

/// The reactions to orders.
#[derive(Debug)]
pub(crate) struct ToOrders;

impl Reactions for ToOrders {
    async fn order_cancelled(
        &self,
        work: &mut Work,
        event: Delivered<OrderCancelledView>,
    ) -> Result<(), ReactionError> {
        order_cancelled::react(work, &event.value).await
    }
}

impl From<SettlementError> for ReactionError {
    fn from(error: SettlementError) -> Self {
        match error {
            SettlementError::Store(error) => error.into(),
            forbidden => Self::Refuse(forbidden.to_string()),
        }
    }
}
