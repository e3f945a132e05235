//! What holds a reservation and the stock of its lines together: both change in one unit of work, or neither does.
//!
//! Requests and reactions alike come here. **Invariant:** the reservation is locked first, then stock by product; all
//! go in this one order, so nobody waits in a ring.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{StoreError, Work};

use crate::reservation::{Ask, Next, Refusal, Reservation, State, decide};
use crate::stock::Shortage;
use crate::store::{reservations, stocks};

/// Why nothing has changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HoldingError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Short(#[from] Shortage),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does what is asked of the reservation of that id: to all of its lines or to none.
pub(crate) async fn ask(work: &mut Work, id: &str, ask: Ask) -> Result<Reservation, HoldingError> {
    work.lock::<pb::Reservation>(id).await?;
    let known = reservations::find(work, id).await?;
    let reservation = match decide(known, id, ask)? {
        Next::Same(reservation) => return Ok(reservation),
        Next::Becomes(reservation) => reservation,
    };
    for (product_id, units) in &reservation.lines {
        let mut stock = stocks::lock(work, product_id).await?;
        match reservation.state {
            State::Held => stock.hold(*units)?,
            State::Released => stock.give_back(*units),
            State::Shipped => stock.take_out(*units),
        }
        stocks::save(work, &stock).await?;
    }
    reservations::save(work, &reservation).await?;
    Ok(reservation)
}
