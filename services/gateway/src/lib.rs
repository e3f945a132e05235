//! The gateway: what several owners answer, on one page; what several owners change, all or nothing.

pub mod generated;
