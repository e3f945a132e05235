//! What can be done with orders, a file each.

pub(crate) mod cancel_order;
pub(crate) mod get_order;
pub(crate) mod list_orders;
pub(crate) mod place_order;
pub(crate) mod ship_order;

mod end_order;
