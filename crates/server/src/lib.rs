//! The server kit: one builder gives a service its port, health, reflection, identity, access, deadline and shutdown.
//!
//! [`Server`] is what a service says of itself, [`Bound`] has its port, [`Running`] also ends what the service started
//! beside it, and [`host`] is all that a service's own `main.rs` needs. What every request passes is in `stack.rs`.
//! **Invariant:** a server that is told to end has ended within its grace, whatever its clients do.

mod accept;
mod body;
mod calls;
mod connection;
mod contained;
pub mod databases;
pub mod directory;
mod door;
mod error;
mod flood;
mod frames;
mod guarded;
mod handler;
mod health;
pub mod host;
pub mod keep;
mod limits;
mod listen;
mod meter;
mod places;
mod platform;
mod preface;
mod probe;
mod reflection;
mod refused;
mod routes;
mod running;
mod scrape;
mod server;
mod shedding;
mod stack;
mod tasks;
mod typed;
mod web;

pub use error::Error;
pub use listen::Listen;
pub use running::Running;
pub use server::{Bound, Server};
