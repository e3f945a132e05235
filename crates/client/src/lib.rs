//! The channel that every generated client uses: deadline, retry, balancing, hedging, session, idempotency key.
//!
//! A [`Mesh`] knows where the services are, a [`Channel`] leads to one of them, [`CallOptions`] say how a call is made,
//! and an [`Error`] says why it failed, in words that programs can match on. **Invariant:** every call ends at its
//! deadline, whatever the peer does.

mod cache;
mod call;
mod channel;
mod codec;
mod decision;
mod error;
mod explanation;
mod fault;
mod generated;
mod ledger;
mod mesh;
mod messages;
mod meter;
mod options;
mod outgoing;
mod policy;
mod resolver;
mod span;
mod streamed;
mod transport;
mod way;

pub use channel::Channel;
pub use decision::Decision;
pub use error::Error;
pub use explanation::{Attempt, Explanation};
pub use generated::{DirectoryClient, DirectoryStub, FeedClient, FeedStub, OperationsClient, OperationsStub};
pub use mesh::Mesh;
pub use messages::{Messages, Requests};
pub use options::CallOptions;
pub use resolver::{Names, ResolveError, Resolver, WatchedFile};

// Generated clients name these through this crate, so that their users need no further dependency.
pub use async_trait::async_trait;
pub use freehold_wire as wire;
pub use tonic::Code;
pub use tonic_types::FieldViolation;
