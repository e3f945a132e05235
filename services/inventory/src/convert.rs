//! Between stock on the wire and stock in here. Nothing of it is private: what is kept is what is shared and answered.

use freehold_sdk::inventory::v1 as pb;
use freehold_wire::Reason;
use freehold_wire::reason::{bad_field, not_found};
use tonic::Status;

use crate::holding::HoldingError;
use crate::reservation::{Lines, Refusal, Reservation, State};
use crate::stock::{Shortage, Stock};

/// The stock of a product as the contract describes it.
pub(crate) fn stock(stock: &Stock) -> pb::Stock {
    pb::Stock::default()
        .with_product_id(stock.product_id.as_str())
        .with_on_hand_units(stock.on_hand_units)
        .with_reserved_units(stock.reserved_units)
}

/// A reservation as the contract describes it, its lines by product.
pub(crate) fn reservation(reservation: &Reservation) -> pb::Reservation {
    let line = |(product_id, units): (&String, &i64)| {
        pb::StockLine::default().with_product_id(product_id.as_str()).with_units(*units)
    };
    pb::Reservation::default()
        .with_id(reservation.id.as_str())
        .with_lines(reservation.lines.iter().map(line))
        .with_state(state(reservation.state))
}

/// Lines out of the field `lines`; a product may have one.
pub(crate) fn lines(sent: Vec<pb::StockLine>) -> Result<Lines, Status> {
    let mut lines = Lines::new();
    for (index, line) in sent.into_iter().enumerate() {
        if lines.contains_key(&line.product_id) {
            return Err(bad_field(format!("lines[{index}].product_id"), "has a line before this one"));
        }
        lines.insert(line.product_id, line.units);
    }
    Ok(lines)
}

impl From<HoldingError> for Status {
    fn from(error: HoldingError) -> Self {
        match error {
            HoldingError::Refused(refusal) => refusal.into(),
            HoldingError::Short(shortage) => shortage.into(),
            HoldingError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::Unknown(id) => return not_found("reservation", id),
            Refusal::Released(_) => "ALREADY_RELEASED",
            Refusal::Shipped(_) => "ALREADY_SHIPPED",
            Refusal::Conflict(_) => "RESERVATION_CONFLICT",
        };
        Reason::FailedPrecondition.because(reason, refusal.to_string())
    }
}

impl From<Shortage> for Status {
    fn from(shortage: Shortage) -> Self {
        let message = shortage.to_string();
        let figures = [
            ("product_id", shortage.product_id),
            ("asked_units", shortage.asked_units.to_string()),
            ("available_units", shortage.available_units.to_string()),
        ];
        Reason::FailedPrecondition.because_of("INSUFFICIENT_STOCK", message, figures)
    }
}

fn state(state: State) -> pb::ReservationState {
    match state {
        State::Held => pb::ReservationState::Held,
        State::Released => pb::ReservationState::Released,
        State::Shipped => pb::ReservationState::Shipped,
    }
}
