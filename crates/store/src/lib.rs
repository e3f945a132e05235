//! An owned database: units of work, reads, entities, outbox, inbox, idempotency, epochs and migrations, on SQLite and
//! PostgreSQL behind one executor and one SQL text.
//!
//! A service opens one [`Store`]. What writes is a handler that gets a [`Work`]; what it answers leaves after the commit.
//! **Invariant:** an event, a version, a token or a recorded reply exists if and only if its transaction has committed.

mod append;
pub mod calls;
mod dialect;
mod engine;
pub mod entity;
mod epoch;
mod error;
mod gathered;
mod idempotency;
pub mod inbox;
mod ledger;
mod migrate;
mod open;
mod options;
pub mod outbox;
mod page;
mod postgres;
mod queries;
mod queue;
mod read;
mod read_only;
mod row;
mod sqlite;
mod store;
mod unit;
mod value;
mod work;

pub use engine::Engine;
pub use error::{Cause, Constraint, StoreError};
pub use ledger::Tally;
pub use migrate::{Migration, Migrations};
pub use open::OpenError;
pub use options::{Clock, Options};
pub use page::Page;
pub use postgres::{Login, Provision};
pub use queries::Queries;
pub use read::Read;
pub use read_only::{ReadOnly, is_owned};
pub use row::{FromCell, Row};
pub use store::Store;
pub use value::{Kind, Stored, Value};
pub use work::Work;
