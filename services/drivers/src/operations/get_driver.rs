//! Reads a driver.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::drivers;

/// The driver of that id.
pub(crate) async fn run(context: &Context, store: &Store, id: &str) -> Result<pb::DriverProfile, Status> {
    let found = drivers::find(&mut store.read_within(context).await?, id).await?;
    found.as_ref().map(convert::profile).ok_or_else(|| not_found("driver", id))
}
