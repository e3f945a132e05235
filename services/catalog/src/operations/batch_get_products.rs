//! Reads several products at one moment.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::products;

/// The products of those ids, in their order, as others may see them; unknown ones are left out.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    ids: &[String],
) -> Result<pb::BatchGetProductsResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let mut found = Vec::new();
    for id in ids {
        found.extend(products::find(&mut read, id).await?.as_ref().map(convert::reply));
    }
    Ok(pb::BatchGetProductsResponse::default().with_products(found))
}
