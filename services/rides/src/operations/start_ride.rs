//! Starts an accepted ride: the rider is on board.

use freehold_sdk::rides::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::operations::advance::{AdvanceError, advance};
use crate::ride::Ride;

/// Starts the ride.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: pb::StartRideRequest,
) -> Result<Committed<pb::Ride>, AdvanceError> {
    store.write(context, async move |work: &mut Work| advance(work, request.id, Ride::start).await).await
}
