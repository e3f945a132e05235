//! Reads what a customer means to order.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::baskets;

/// The basket of that customer; without lines where nothing was saved.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    customer_id: &str,
) -> Result<pb::Basket, StoreError> {
    let mut read = store.read_within(context).await?;
    Ok(convert::basket(customer_id, &baskets::lines(&mut read, customer_id).await?))
}
