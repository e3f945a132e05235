//! A delivery of goods, which is booked once under the id that the caller gave it.

/// Goods that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) product_id: String,
    pub(crate) units: i64,
}
