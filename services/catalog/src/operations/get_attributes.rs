//! Reads all attributes of a product.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::{attributes, products};

/// The attributes of the product of that id; none where it was never given any.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    product_id: &str,
) -> Result<pb::ProductAttributes, Status> {
    let mut read = store.read_within(context).await?;
    if products::find(&mut read, product_id).await?.is_none() {
        return Err(not_found("product", product_id));
    }
    let kept = attributes::find(&mut read, product_id).await?;
    Ok(convert::attributes(product_id, kept.as_ref()))
}
