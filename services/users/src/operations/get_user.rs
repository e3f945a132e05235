//! Reads one user.

use freehold_sdk::users::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::users;

/// The user of that id, as others may see it.
pub(crate) async fn run(context: &Context, store: &Store, id: &str) -> Result<pb::User, Status> {
    let mut read = store.read_within(context).await?;
    let user = users::find(&mut read, id).await?.ok_or_else(|| not_found("user", id))?;
    Ok(convert::reply(&user))
}
