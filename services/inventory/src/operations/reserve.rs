//! Holds stock for an order: all lines or none, once per reservation.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::convert;
use crate::holding::{self, HoldingError};
use crate::reservation::{Ask, Lines};

/// What is to be held.
pub(crate) struct Reserve {
    id: String,
    lines: Lines,
}

impl TryFrom<pb::ReserveRequest> for Reserve {
    type Error = Status;

    fn try_from(request: pb::ReserveRequest) -> Result<Self, Status> {
        Ok(Self { id: request.id, lines: convert::lines(request.lines)? })
    }
}

/// Holds the stock.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: Reserve,
) -> Result<Committed<pb::Reservation>, HoldingError> {
    store.write(context, async move |work: &mut Work| reserve(work, command).await).await
}

async fn reserve(work: &mut Work, command: Reserve) -> Result<pb::Reservation, HoldingError> {
    let held = holding::ask(work, &command.id, Ask::Reserve(command.lines)).await?;
    Ok(convert::reservation(&held))
}
