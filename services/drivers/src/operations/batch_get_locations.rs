//! Reads where several drivers are, in one snapshot.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::latest;

/// The latest locations of the drivers of those ids; who has none is left out.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    ids: &[String],
) -> Result<pb::BatchGetLocationsResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(latest::find(&mut read, id).await?.map(|location| convert::position(id, &location)));
    }
    Ok(pb::BatchGetLocationsResponse::default().with_positions(found))
}
