//! The tables of payments. Nothing outside this folder writes SQL.

pub(crate) mod accounts;
pub(crate) mod deposits;
pub(crate) mod entries;
pub(crate) mod payments;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "payments",
    steps: &[
        Migration {
            version: 1,
            name: "payments",
            sql: include_str!("../../migrations/0001_payments.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            name: "append_only",
            sql: include_str!("../../migrations/0002_append_only.sql"),
            postgres: Some(include_str!("../../migrations/0002_append_only.postgres.sql")),
        },
    ],
};
