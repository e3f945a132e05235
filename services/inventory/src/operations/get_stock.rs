//! Reads the stock of one product.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::stocks;

/// The stock of that product, once it has come in.
pub(crate) async fn run(context: &Context, store: &Store, product_id: &str) -> Result<pb::Stock, Status> {
    let mut read = store.read_within(context).await?;
    let stock = stocks::find(&mut read, product_id).await?.ok_or_else(|| not_found("stock", product_id))?;
    Ok(convert::stock(&stock))
}
