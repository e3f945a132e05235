//! What can be asked of notifications, a file each.

pub(crate) mod count_mails;
pub(crate) mod list_mails;
