//! Reads all products, a page at a time.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};

use crate::convert;
use crate::store::products;

/// The name that binds page tokens to this list.
pub(crate) const LIST: &str = "products";

/// A page of products, by id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    page: &Page,
) -> Result<pb::ListProductsResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let found = products::after(&mut read, &page.after, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|product| next_token(LIST, &product.id)) } else { None };
    Ok(pb::ListProductsResponse::default()
        .with_products(shown.iter().map(convert::reply))
        .with_next_page_token(next.unwrap_or_default()))
}
