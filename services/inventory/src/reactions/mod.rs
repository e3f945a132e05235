//! What inventory does when something happens to an order, a file per event.
//!
//! The inbox lets each event take effect once. An event that the state of its reservation forbids can never succeed: it
//! is refused at once, and its key waits for a human instead of for retries.

pub(crate) mod order_cancelled;
pub(crate) mod order_shipped;

use freehold_events::{Delivered, ReactionError};
use freehold_store::Work;

use crate::generated::{OrderCancelledView, OrderShippedView, Reactions};
use crate::holding::HoldingError;

/// The reactions to orders.
#[derive(Debug)]
pub(crate) struct ToOrders;

impl Reactions for ToOrders {
    async fn order_shipped(
        &self,
        work: &mut Work,
        event: Delivered<OrderShippedView>,
    ) -> Result<(), ReactionError> {
        order_shipped::react(work, &event.value).await
    }

    async fn order_cancelled(
        &self,
        work: &mut Work,
        event: Delivered<OrderCancelledView>,
    ) -> Result<(), ReactionError> {
        order_cancelled::react(work, &event.value).await
    }
}

impl From<HoldingError> for ReactionError {
    fn from(error: HoldingError) -> Self {
        match error {
            HoldingError::Refused(refusal) => Self::Refuse(refusal.to_string()),
            HoldingError::Short(shortage) => Self::Refuse(shortage.to_string()),
            HoldingError::Store(error) => error.into(),
        }
    }
}
