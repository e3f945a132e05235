//! Reads all users, a page at a time.

use freehold_sdk::users::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};

use crate::convert;
use crate::store::users;

/// The name that binds page tokens to this list.
pub(crate) const LIST: &str = "users";

/// A page of users, by id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    page: &Page,
) -> Result<pb::ListUsersResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let found = users::after(&mut read, &page.after, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|user| next_token(LIST, &user.id)) } else { None };
    Ok(pb::ListUsersResponse::default()
        .with_users(shown.iter().map(convert::reply))
        .with_next_page_token(next.unwrap_or_default()))
}
