//! The tables of rides. Nothing outside this folder writes SQL.

pub(crate) mod listing;
pub(crate) mod rides;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "rides",
    steps: &[Migration {
        version: 1,
        name: "rides",
        sql: include_str!("../../migrations/0001_rides.sql"),
        postgres: None,
    }],
};
