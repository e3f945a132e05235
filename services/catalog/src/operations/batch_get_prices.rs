//! Reads the prices of several products at one moment.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::products;

/// The prices of those products, in their order; unknown ones are left out.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    ids: &[String],
) -> Result<pb::BatchGetPricesResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let mut prices = Vec::new();
    for id in ids {
        prices.extend(products::find(&mut read, id).await?.as_ref().map(convert::price));
    }
    Ok(pb::BatchGetPricesResponse::default().with_prices(prices))
}
