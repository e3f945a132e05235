//! What can be done with products, a file each.

pub(crate) mod batch_get_prices;
pub(crate) mod batch_get_products;
pub(crate) mod change_price;
pub(crate) mod create_product;
pub(crate) mod delete_product;
pub(crate) mod discontinue_product;
pub(crate) mod find_products;
pub(crate) mod get_attributes;
pub(crate) mod get_product;
pub(crate) mod list_products;
pub(crate) mod list_sales;
pub(crate) mod rebuild_sales;
pub(crate) mod reinstate_product;
pub(crate) mod set_attributes;
