//! The SDK of the mesh, generated from its contracts: the messages of every service, a client and a stub for each, and
//! under the feature `server` the traits and dispatch that a service is made of.

mod generated;
pub mod ports;

#[cfg(feature = "client")]
pub use freehold_client::{CallOptions, Channel, Error, Mesh, Messages, Requests};
pub use freehold_wire as wire;
pub use freehold_wire::{Committed, Context, Session, async_trait};
pub use generated::*;
pub use ports::PORTS;
