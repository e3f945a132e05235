//! Money that a customer sent, which is booked once under the id that the caller gave it.

/// Money that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deposit {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) amount_cents: i64,
}
