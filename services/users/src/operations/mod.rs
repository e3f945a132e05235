//! What can be done with users, a file each.

pub(crate) mod batch_get_users;
pub(crate) mod erase_user;
pub(crate) mod get_user;
pub(crate) mod list_users;
pub(crate) mod register_user;
pub(crate) mod update_user;
