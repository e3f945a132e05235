//! Reads one product.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::products;

/// The product of that id, as others may see it.
pub(crate) async fn run(context: &Context, store: &Store, id: &str) -> Result<pb::Product, Status> {
    let mut read = store.read_within(context).await?;
    let product = products::find(&mut read, id).await?.ok_or_else(|| not_found("product", id))?;
    Ok(convert::reply(&product))
}
