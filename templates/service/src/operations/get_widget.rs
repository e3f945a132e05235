//! Reads one by its id.

use freehold_sdk::widgets::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::widget;

/// The one of that id, as others may see it.
pub(crate) async fn run(context: &Context, store: &Store, id: &str) -> Result<pb::Widget, Status> {
    let mut read = store.read_within(context).await?;
    let found = widget::find(&mut read, id).await?;
    Ok(convert::reply(&found.ok_or_else(|| not_found("widget", id))?))
}
