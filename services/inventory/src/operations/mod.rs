//! What can be done with stock, a file each.

pub(crate) mod batch_get_stock;
pub(crate) mod get_stock;
pub(crate) mod list_stock;
pub(crate) mod release;
pub(crate) mod reserve;
pub(crate) mod restock;
pub(crate) mod ship;
