//! The tables of orders. Nothing outside this folder writes SQL.

pub(crate) mod baskets;
pub(crate) mod history;
pub(crate) mod listing;
pub(crate) mod orders;
pub(crate) mod replacements;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "orders",
    steps: &[
        Migration {
            version: 1,
            name: "orders",
            sql: include_str!("../../migrations/0001_orders.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            name: "append_only",
            sql: include_str!("../../migrations/0002_append_only.sql"),
            postgres: Some(include_str!("../../migrations/0002_append_only.postgres.sql")),
        },
        Migration {
            version: 3,
            name: "baskets",
            sql: include_str!("../../migrations/0003_baskets.sql"),
            postgres: None,
        },
    ],
};
