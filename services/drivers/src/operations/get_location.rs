//! Reads where a driver is.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::{drivers, latest};

/// The latest location of the driver of that id.
pub(crate) async fn run(context: &Context, store: &Store, id: &str) -> Result<pb::Position, Status> {
    let mut read = store.read_within(context).await?;
    if let Some(location) = latest::find(&mut read, id).await? {
        return Ok(convert::position(id, &location));
    }
    let driver = drivers::number(&mut read, id).await?;
    Err(not_found(if driver.is_some() { "location" } else { "driver" }, id))
}
