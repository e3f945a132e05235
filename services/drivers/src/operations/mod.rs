//! What can be done with drivers and their locations, a file each.

pub(crate) mod batch_get_drivers;
pub(crate) mod batch_get_locations;
pub(crate) mod change_standing;
pub(crate) mod erase_driver;
pub(crate) mod get_driver;
pub(crate) mod get_location;
pub(crate) mod list_drivers;
pub(crate) mod list_track;
pub(crate) mod rate_driver;
pub(crate) mod register_driver;
pub(crate) mod report_locations;
pub(crate) mod update_driver;
pub(crate) mod watch_driver;
