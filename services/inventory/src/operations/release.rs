//! Gives the stock of a reservation back; one that never was is marked, so that a late Reserve is refused.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::convert;
use crate::holding::{self, HoldingError};
use crate::reservation::Ask;

/// Releases the reservation of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::Reservation>, HoldingError> {
    store.write(context, async move |work: &mut Work| release(work, &id).await).await
}

async fn release(work: &mut Work, id: &str) -> Result<pb::Reservation, HoldingError> {
    let released = holding::ask(work, id, Ask::Release).await?;
    Ok(convert::reservation(&released))
}
