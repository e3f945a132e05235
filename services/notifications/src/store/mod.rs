//! The tables of notifications. Nothing outside this folder writes SQL.

pub(crate) mod mails;
pub(crate) mod sendable;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "notifications",
    steps: &[Migration {
        version: 1,
        name: "mails",
        sql: include_str!("../../migrations/0001_mails.sql"),
        postgres: None,
    }],
};
