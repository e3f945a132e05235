//! The executor over real databases: killed at every boundary, lied to by owners, begun by many at once.

mod begins;
mod deaths;
mod faults;
mod lifecycle;
pub(crate) mod owners;
mod postgres;
mod processes;
pub(crate) mod world;
