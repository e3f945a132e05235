//! Reads the stock of several products at one moment.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::stocks;

/// The stock of those products, in their order; what never came in is left out.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    product_ids: &[String],
) -> Result<pb::BatchGetStockResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let mut stock = Vec::new();
    for product_id in product_ids {
        stock.extend(stocks::find(&mut read, product_id).await?.as_ref().map(convert::stock));
    }
    Ok(pb::BatchGetStockResponse::default().with_stock(stock))
}
