//! What can be done with orders and baskets, a file each.

pub(crate) mod cancel_order;
pub(crate) mod get_basket;
pub(crate) mod get_order;
pub(crate) mod list_orders;
pub(crate) mod place_order;
pub(crate) mod replace_in_baskets;
pub(crate) mod restore_in_baskets;
pub(crate) mod save_basket;
pub(crate) mod ship_order;

mod end_order;
