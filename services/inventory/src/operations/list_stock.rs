//! Reads all stock, a page at a time.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};

use crate::convert;
use crate::store::stocks;

/// The name that binds page tokens to this list.
pub(crate) const LIST: &str = "stock";

/// A page of stock, by product.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    page: &Page,
) -> Result<pb::ListStockResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let found = stocks::after(&mut read, &page.after, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|stock| next_token(LIST, &stock.product_id)) } else { None };
    Ok(pb::ListStockResponse::default()
        .with_stock(shown.iter().map(convert::stock))
        .with_next_page_token(next.unwrap_or_default()))
}
