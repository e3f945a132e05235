//! What the gateway does over several owners.

pub(crate) mod replace_product;
