//! How products sell: a view of the events of orders, which can be built anew from the first of them.
//!
//! An order counts in the month in which it was confirmed, until it is cancelled. **Invariant:** after the same events
//! every generation says the same.

use freehold_events::{Delivered, Projection, ReactionError};
use freehold_store::Work;

use crate::generated::{
    self, OrderCancelledView, OrderConfirmedView, OrderPlacedView, OrderRejectedView, Reactions,
};
use crate::month::Month;
use crate::store::sales;

/// Raised with any change of what the reactions below write: the sales are built anew then.
const VERSION: i64 = 1;
/// The view's name: "consumer/purpose".
pub(crate) const NAME: &str = "catalog/sales";

/// The view.
pub(crate) fn projection() -> Projection {
    let reactions = |generation| generated::subscriptions(Sales { generation });
    Projection::new(crate::NAME, "sales", "orders", VERSION, reactions).swept_by(&sales::SWEEPS)
}

/// Builds one generation.
#[derive(Debug)]
struct Sales {
    generation: i64,
}

impl Reactions for Sales {
    async fn order_placed(
        &self,
        work: &mut Work,
        event: Delivered<OrderPlacedView>,
    ) -> Result<(), ReactionError> {
        for line in &event.value.lines {
            let Line { product_id, units, cents } = Line::of(line);
            sales::place(work, self.generation, event.key(), product_id, units, cents).await?;
        }
        Ok(())
    }

    async fn order_confirmed(
        &self,
        work: &mut Work,
        event: Delivered<OrderConfirmedView>,
    ) -> Result<(), ReactionError> {
        let late = || ReactionError::Refuse(format!("it was at {} ms, in no year we know", event.time_ms()));
        let month = Month::of(event.time_ms()).ok_or_else(late)?;
        if sales::confirm(work, self.generation, event.key(), &month).await? {
            return Ok(());
        }
        Err(ReactionError::Refuse("an order was confirmed of which nothing had been placed".to_owned()))
    }

    async fn order_rejected(
        &self,
        work: &mut Work,
        event: Delivered<OrderRejectedView>,
    ) -> Result<(), ReactionError> {
        Ok(sales::forget(work, self.generation, event.key()).await?)
    }

    async fn order_cancelled(
        &self,
        work: &mut Work,
        event: Delivered<OrderCancelledView>,
    ) -> Result<(), ReactionError> {
        Ok(sales::take_back(work, self.generation, event.key()).await?)
    }
}

/// What counts of an order's line.
struct Line<'a> {
    product_id: &'a str,
    units: i64,
    cents: i64,
}

impl<'a> Line<'a> {
    fn of(line: &'a freehold_sdk::orders::v1::OrderLine) -> Self {
        Self { product_id: &line.product_id, units: line.units, cents: line.line_cents }
    }
}
