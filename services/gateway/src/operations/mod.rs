//! What the gateway does over several owners, a file each.

pub(crate) mod get_order_page;
pub(crate) mod replace_product;
