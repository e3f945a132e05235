//! Read-only local copies of another owner's entity: snapshot, apply, consistency levels.
//!
//! A [`Replica`] is a table of the consumer's database with the declared fields, joinable in SQL and filled through
//! `Feed.Snapshot` and `Feed.Subscribe` alone, also where its owner is in the same process. **Invariant:** it is a prefix
//! of the owner's history: never a mix, never ahead, and deleted stays deleted.

mod applier;
mod apply;
mod copied;
mod error;
mod fault;
#[cfg(test)]
mod fixture;
mod level;
mod record;
mod replica;
mod rows;
mod shape;
mod standing;
#[cfg(test)]
mod tests;

pub use copied::{Column, ColumnKind, Copied, WhenStale};
pub use error::ReplicaError;
pub use level::{Achieved, Level, LevelName, Source};
pub use replica::{Replica, Replicated};

use freehold_store::{Migration, Migrations};

/// The tables behind all copies; a service that keeps one adds them to its store, behind those of `freehold_events`.
pub static MIGRATIONS: Migrations = Migrations {
    set: "replica",
    steps: &[Migration {
        version: 1,
        name: "replica",
        sql: include_str!("../migrations/0001_replica.sql"),
        postgres: Some(include_str!("../migrations/0001_replica_postgres.sql")),
    }],
};
