//! The tables of users. Nothing outside this folder writes SQL.

pub(crate) mod users;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "users",
    steps: &[Migration {
        version: 1,
        name: "users",
        sql: include_str!("../../migrations/0001_users.sql"),
        postgres: None,
    }],
};
