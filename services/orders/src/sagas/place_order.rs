//! Placing an order: hold the stock, hold the money, take the money; each step beside its undo.
//!
//! The order's id names the reservation and the payment, so every owner can tell a repetition, and an effect that comes
//! after its undo. **Invariant:** an order ends confirmed with stock held and money taken, or rejected with neither.

use std::collections::BTreeMap;

use freehold_saga::{EndError, Failure, Saga, Step, StepContext, StepError};
use freehold_sdk::catalog::v1::{BatchGetPricesRequest, CatalogClient, Price};
use freehold_sdk::inventory::v1::{InventoryClient, ReleaseRequest, ReserveRequest, StockLine};
use freehold_sdk::payments::v1::{
    AuthoriseRequest, CaptureRequest, PaymentsClient, RefundRequest, VoidRequest,
};
use freehold_store::Work;

use crate::generated::Calls;
use crate::order::{Fact, Line, Order, WrongState};
use crate::store::orders::{self, RecordError};

// --- Input ---------------------------------------------------------------------------------------------------------

/// What the steps need to know of the order; they change nothing in it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlaceOrder {
    #[prost(string, tag = "1")]
    pub(crate) order_id: String,
    #[prost(string, tag = "2")]
    pub(crate) customer_id: String,
    #[prost(int64, tag = "3")]
    pub(crate) total_cents: i64,
    #[prost(message, repeated, tag = "4")]
    pub(crate) lines: Vec<PlacedLine>,
}

/// A line as the steps see it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlacedLine {
    #[prost(string, tag = "1")]
    pub(crate) product_id: String,
    #[prost(int64, tag = "2")]
    pub(crate) units: i64,
    #[prost(int64, tag = "3")]
    pub(crate) catalog_cents: i64,
}

impl From<&Order> for PlaceOrder {
    fn from(order: &Order) -> Self {
        let line = |line: &Line| PlacedLine {
            product_id: line.product_id.clone(),
            units: line.units,
            catalog_cents: line.catalog_cents,
        };
        Self {
            order_id: order.id.clone(),
            customer_id: order.customer_id.clone(),
            total_cents: order.total_cents(),
            lines: order.lines.iter().map(line).collect(),
        }
    }
}

// --- Steps ---------------------------------------------------------------------------------------------------------

/// Holds the stock of all lines.
struct Reserve {
    inventory: InventoryClient,
}

impl Step for Reserve {
    type State = PlaceOrder;
    const NAME: &'static str = "reserve";

    async fn act(&self, step: &StepContext, order: &mut PlaceOrder) -> Result<(), StepError> {
        let line = |line: &PlacedLine| {
            StockLine::default().with_product_id(line.product_id.as_str()).with_units(line.units)
        };
        let request = ReserveRequest::default()
            .with_id(order.order_id.as_str())
            .with_lines(order.lines.iter().map(line));
        self.inventory.within(step.context()).with_key(step.key()).reserve(request).await?;
        Ok(())
    }

    async fn undo(&self, step: &StepContext, order: &PlaceOrder) -> Result<(), StepError> {
        let request = ReleaseRequest::default().with_id(order.order_id.as_str());
        self.inventory.within(step.context()).with_key(step.key()).release(request).await?;
        Ok(())
    }
}

/// Holds the money.
struct Authorise {
    payments: PaymentsClient,
}

impl Step for Authorise {
    type State = PlaceOrder;
    const NAME: &'static str = "authorise";

    async fn act(&self, step: &StepContext, order: &mut PlaceOrder) -> Result<(), StepError> {
        let request = AuthoriseRequest::default()
            .with_id(order.order_id.as_str())
            .with_customer_id(order.customer_id.as_str())
            .with_amount_cents(order.total_cents);
        self.payments.within(step.context()).with_key(step.key()).authorise(request).await?;
        Ok(())
    }

    async fn undo(&self, step: &StepContext, order: &PlaceOrder) -> Result<(), StepError> {
        let request = VoidRequest::default().with_id(order.order_id.as_str());
        self.payments.within(step.context()).with_key(step.key()).void(request).await?;
        Ok(())
    }
}

/// Asks the catalog once more what it wants now, and takes the money unless that is far more than it was.
struct Pay {
    catalog: CatalogClient,
    payments: PaymentsClient,
}

impl Step for Pay {
    type State = PlaceOrder;
    const NAME: &'static str = "pay";

    async fn act(&self, step: &StepContext, order: &mut PlaceOrder) -> Result<(), StepError> {
        let products = order.lines.iter().map(|line| line.product_id.as_str());
        let request = BatchGetPricesRequest::default().with_product_ids(products);
        let now = self.catalog.within(step.context()).batch_get_prices(request).await?.prices;
        if let Some(line) = risen(&order.lines, &now) {
            let asked = line.catalog_cents;
            let message =
                format!("the price of {} rose by more than a tenth from {asked} cents", line.product_id);
            return Err(StepError::refused("PRICE_ROSE", message));
        }
        let request = CaptureRequest::default().with_id(order.order_id.as_str());
        self.payments.within(step.context()).with_key(step.key()).capture(request).await?;
        Ok(())
    }

    async fn undo(&self, step: &StepContext, order: &PlaceOrder) -> Result<(), StepError> {
        let request = RefundRequest::default().with_id(order.order_id.as_str());
        self.payments.within(step.context()).with_key(step.key()).refund(request).await?;
        Ok(())
    }
}

/// The first line whose product costs over a tenth more than when it was placed; a deleted product keeps its price.
fn risen<'a>(lines: &'a [PlacedLine], now: &[Price]) -> Option<&'a PlacedLine> {
    let now: BTreeMap<&str, i64> =
        now.iter().map(|price| (price.product_id.as_str(), price.price_cents)).collect();
    lines.iter().find(|line| {
        now.get(line.product_id.as_str())
            .is_some_and(|cents| i128::from(*cents) * 10 > i128::from(line.catalog_cents) * 11)
    })
}

// --- Ends ----------------------------------------------------------------------------------------------------------

async fn confirm(work: &mut Work, input: &PlaceOrder) -> Result<(), EndError> {
    end(work, &input.order_id, Order::confirm).await
}

async fn reject(work: &mut Work, input: &PlaceOrder, failure: &Failure) -> Result<(), EndError> {
    end(work, &input.order_id, |order| order.reject(failure.reason())).await
}

async fn end(
    work: &mut Work,
    id: &str,
    decide: impl FnOnce(&Order) -> Result<Fact, WrongState>,
) -> Result<(), EndError> {
    let order = orders::lock(work, id).await?;
    let order = order.ok_or_else(|| refused("ORDER_UNKNOWN", format!("no order has the id `{id}`")))?;
    let fact = decide(&order).map_err(|wrong| refused("WRONG_STATE", wrong.to_string()))?;
    match orders::record(work, &order, fact).await {
        Ok(_) => Ok(()),
        Err(RecordError::Store(error)) => Err(error.into()),
        Err(stale @ RecordError::Stale(_)) => Err(refused("STALE_REVISION", stale.to_string())),
    }
}

fn refused(reason: &str, message: String) -> EndError {
    EndError::Refused(Failure::new(reason, message))
}

// --- Definition ----------------------------------------------------------------------------------------------------

/// The saga of placing an order, over the services that `calls` reaches.
pub(crate) fn definition(calls: &Calls) -> Saga<PlaceOrder> {
    Saga::new("place_order", 1)
        .step(Reserve { inventory: calls.inventory.clone() })
        .step(Authorise { payments: calls.payments.clone() })
        .step(Pay { catalog: calls.catalog.clone(), payments: calls.payments.clone() })
        .on_done(confirm)
        .on_compensated(reject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_rose_by_more_than_a_tenth_stops_the_payment() {
        let line = PlacedLine { product_id: "11".to_owned(), units: 1, catalog_cents: 1000 };
        let price = |cents| Price::default().with_product_id("11").with_price_cents(cents);
        let lines = [line];
        assert!(risen(&lines, &[price(1100)]).is_none());
        assert!(risen(&lines, &[price(1101)]).is_some());
        assert!(risen(&lines, &[]).is_none(), "a deleted product has no price to compare with");
    }
}
