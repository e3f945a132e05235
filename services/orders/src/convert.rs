//! Between orders and baskets on the wire and those in here.

use freehold_sdk::orders::v1 as pb;

use crate::basket::{self, BasketLine, Replacement};
use crate::order::{Line, Order, State};

/// The order as the contract describes it.
pub(crate) fn entity(order: &Order) -> pb::Order {
    pb::Order::default()
        .with_id(order.id.as_str())
        .with_customer_id(order.customer_id.as_str())
        .with_state(state(order.state))
        .with_lines(order.lines.iter().map(line))
        .with_total_cents(order.total_cents())
        .with_reason(order.reason.as_str())
        .with_placed_ms(order.placed_ms)
        .with_revision(order.revision)
}

/// A line as the contract describes it.
pub(crate) fn line(line: &Line) -> pb::OrderLine {
    pb::OrderLine::default()
        .with_product_id(line.product_id.as_str())
        .with_product_name(line.product_name.as_str())
        .with_catalog_cents(line.catalog_cents)
        .with_unit_cents(line.unit_cents)
        .with_units(line.units)
        .with_discount_basis_points(line.discount_basis_points)
        .with_line_cents(line.cents())
        .with_product_version(line.product_version)
}

/// A line out of a recorded event.
pub(crate) fn recorded_line(line: pb::OrderLine) -> Line {
    Line {
        product_id: line.product_id,
        product_name: line.product_name,
        catalog_cents: line.catalog_cents,
        unit_cents: line.unit_cents,
        units: line.units,
        discount_basis_points: line.discount_basis_points,
        product_version: line.product_version,
    }
}

/// A state as the contract describes it.
pub(crate) fn state(state: State) -> pb::OrderState {
    match state {
        State::Placed => pb::OrderState::Placed,
        State::Confirmed => pb::OrderState::Confirmed,
        State::Rejected => pb::OrderState::Rejected,
        State::Cancelled => pb::OrderState::Cancelled,
        State::Shipped => pb::OrderState::Shipped,
    }
}

/// A basket as the contract describes it.
pub(crate) fn basket(customer_id: &str, lines: &[BasketLine]) -> pb::Basket {
    let line = |line: &BasketLine| {
        pb::BasketLine::default().with_product_id(line.product_id.as_str()).with_units(line.units)
    };
    pb::Basket::default().with_customer_id(customer_id).with_lines(lines.iter().map(line))
}

/// A replacement as the contract describes it.
pub(crate) fn replacement(replacement: &Replacement) -> pb::Replacement {
    let state = match replacement.state {
        basket::State::Moved => pb::ReplacementState::Moved,
        basket::State::Restored => pb::ReplacementState::Restored,
    };
    pb::Replacement::default()
        .with_id(replacement.exchange.id.as_str())
        .with_product_id(replacement.exchange.product_id.as_str())
        .with_by_product_id(replacement.exchange.by_product_id.as_str())
        .with_state(state)
        .with_moved_baskets(replacement.moved_baskets)
}
