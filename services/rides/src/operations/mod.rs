//! What can be done with rides, a file each.

pub(crate) mod accept_ride;
pub(crate) mod cancel_ride;
pub(crate) mod finish_ride;
pub(crate) mod get_ride;
pub(crate) mod list_rides;
pub(crate) mod request_ride;
pub(crate) mod start_ride;

mod advance;
