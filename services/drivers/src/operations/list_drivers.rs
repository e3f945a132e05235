//! Reads all drivers, a page at a time.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};

use crate::convert;
use crate::store::drivers;

/// The name that binds page tokens to this list.
pub(crate) const LIST: &str = "drivers";

/// A page of drivers, by id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    page: &Page,
) -> Result<pb::ListDriversResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let found = drivers::after(&mut read, &page.after, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|driver| next_token(LIST, &driver.id)) } else { None };
    Ok(pb::ListDriversResponse::default()
        .with_drivers(shown.iter().map(convert::profile))
        .with_next_page_token(next.unwrap_or_default()))
}
