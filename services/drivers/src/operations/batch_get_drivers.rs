//! Reads several drivers in one snapshot.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::convert;
use crate::store::drivers;

/// The drivers of those ids; the unknown are left out.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    ids: &[String],
) -> Result<pb::BatchGetDriversResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(drivers::find(&mut read, id).await?);
    }
    Ok(pb::BatchGetDriversResponse::default().with_drivers(found.iter().map(convert::profile)))
}
