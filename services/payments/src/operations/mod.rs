//! What can be done with money, a file each.

pub(crate) mod authorise;
pub(crate) mod capture;
pub(crate) mod deposit;
pub(crate) mod get_account;
pub(crate) mod get_payment;
pub(crate) mod open_account;
pub(crate) mod refund;
pub(crate) mod void;
