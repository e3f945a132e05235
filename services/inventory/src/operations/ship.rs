//! Takes the stock of a reservation out of the house, once.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::convert;
use crate::holding::{self, HoldingError};
use crate::reservation::Ask;

/// Ships the reservation of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::Reservation>, HoldingError> {
    store.write(context, async move |work: &mut Work| ship(work, &id).await).await
}

async fn ship(work: &mut Work, id: &str) -> Result<pb::Reservation, HoldingError> {
    let shipped = holding::ask(work, id, Ask::Ship).await?;
    Ok(convert::reservation(&shipped))
}
