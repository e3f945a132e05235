//! Reads several users at one moment.

use freehold_sdk::users::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::users;

/// The users of those ids, in their order; unknown ones are left out.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    ids: &[String],
) -> Result<pb::BatchGetUsersResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let mut found = Vec::new();
    for id in ids {
        found.extend(users::find(&mut read, id).await?.as_ref().map(convert::reply));
    }
    Ok(pb::BatchGetUsersResponse::default().with_users(found))
}
