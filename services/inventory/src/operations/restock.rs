//! Books a delivery of goods, once per delivery id: the same one again answers with the stock as it stands.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::delivery::Delivery;
use crate::store::{deliveries, stocks};

impl From<pb::RestockRequest> for Delivery {
    fn from(request: pb::RestockRequest) -> Self {
        Self { id: request.delivery_id, product_id: request.product_id, units: request.units }
    }
}

/// Why nothing was booked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestockError {
    #[error("the delivery `{0}` was booked with another product or other units")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RestockError> for Status {
    fn from(error: RestockError) -> Self {
        match error {
            RestockError::Conflict(_) => {
                Reason::FailedPrecondition.because("DELIVERY_CONFLICT", error.to_string())
            }
            RestockError::Store(error) => error.into(),
        }
    }
}

/// Books the delivery.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    delivery: Delivery,
) -> Result<Committed<pb::Stock>, RestockError> {
    store.write(context, async move |work: &mut Work| restock(work, delivery).await).await
}

async fn restock(work: &mut Work, delivery: Delivery) -> Result<pb::Stock, RestockError> {
    let mut stock = stocks::lock(work, &delivery.product_id).await?;
    if !deliveries::book(work, &delivery).await? {
        let before = deliveries::find(work, &delivery.id).await?;
        let again = before.as_ref() == Some(&delivery);
        return if again { Ok(convert::stock(&stock)) } else { Err(RestockError::Conflict(delivery.id)) };
    }
    stock.receive(delivery.units);
    stocks::save(work, &stock).await?;
    let received = pb::StockReceived::default()
        .with_product_id(delivery.product_id)
        .with_units(delivery.units)
        .with_delivery_id(delivery.id);
    work.emit(&received).await?;
    Ok(convert::stock(&stock))
}
