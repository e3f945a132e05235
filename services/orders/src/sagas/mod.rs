//! What orders does over several owners.

pub(crate) mod place_order;
