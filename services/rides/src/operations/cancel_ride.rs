//! Calls a ride off that has not begun, whether or not a driver is on the way.

use freehold_sdk::rides::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::operations::advance::{AdvanceError, advance};

/// Cancels the ride.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: pb::CancelRideRequest,
) -> Result<Committed<pb::Ride>, AdvanceError> {
    let unit = async move |work: &mut Work| {
        advance(work, request.id, |ride, at_ms| ride.cancel(request.reason, at_ms)).await
    };
    store.write(context, unit).await
}
