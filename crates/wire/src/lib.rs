//! The words of the mesh on the wire: envelope, position, token, session, context of a call, metadata keys, error
//! reasons, and the tables that a contract compiles to.
//!
//! Every other crate of the mesh speaks these types; the generated SDK is written in terms of them.
//! **Invariant:** nothing here does IO, sleeps or reads a clock on its own.

mod cancellation;
pub mod check;
pub mod codec;
pub mod committed;
pub mod context;
pub mod contract;
pub mod deadline;
pub mod dispatch;
pub mod encoded;
pub mod entity;
mod generated;
pub mod metadata;
mod method;
pub mod page;
pub mod position;
mod pushback;
pub mod reason;
pub mod session;
pub mod shares;
pub mod token;
pub mod trace;
mod witness;

pub use cancellation::Cancellation;
pub use check::{Check, Violations};
pub use committed::Committed;
pub use context::{Caller, Context};
pub use contract::{Contract, Entitlement};
pub use encoded::Encoded;
pub use entity::{Entity, Event, View};
pub use generated::{directory, feed, methods, operations, pb};
pub use method::{Access, Cache, Criticality, Method, Retry, Rules};
pub use position::{Coverage, Watermark};
pub use pushback::Pushback;
pub use reason::Reason;
pub use session::Session;
pub use shares::Shares;
pub use token::TokenError;
pub use witness::Witness;

// Generated code names these through this crate, so that its users need no further dependency.
pub use async_trait::async_trait;
pub use prost;
pub use prost_types;
pub use tonic;
