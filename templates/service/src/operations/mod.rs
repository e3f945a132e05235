//! What can be done here, a file each.

pub(crate) mod create_widget;
pub(crate) mod get_widget;
