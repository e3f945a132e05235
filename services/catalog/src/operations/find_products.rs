//! Finds products by an attribute, with any value or with one, a page at a time.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};
use tonic::Status;

use crate::attributes::{Path, wanted};
use crate::convert;
use crate::store::{attributes, products};

/// A page of the products that have that attribute, by id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: &pb::FindProductsRequest,
) -> Result<pb::FindProductsResponse, Status> {
    let (path, value) = (Path::parse(&request.path)?, wanted(request.value.as_ref())?);
    let list = format!("products of {} {value:?}", request.path);
    let page = Page::parse(&list, request.page_size, &request.page_token)?;
    let mut read = store.read_within(context).await?;
    let limit = i64::from(page.size) + 1;
    let found = attributes::having(&mut read, store.engine(), &path, value, &page.after, limit).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|last| next_token(&list, last)) } else { None };
    let mut answer = Vec::with_capacity(shown.len());
    for id in shown {
        answer.extend(products::find(&mut read, id).await?.as_ref().map(convert::reply));
    }
    Ok(pb::FindProductsResponse::default()
        .with_products(answer)
        .with_next_page_token(next.unwrap_or_default()))
}
