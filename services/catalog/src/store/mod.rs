//! The tables of the catalog. Nothing outside this folder writes SQL.

pub(crate) mod discontinuations;
pub(crate) mod products;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "catalog",
    steps: &[
        Migration {
            version: 1,
            name: "products",
            sql: include_str!("../../migrations/0001_products.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            name: "discontinuations",
            sql: include_str!("../../migrations/0002_discontinuations.sql"),
            postgres: None,
        },
    ],
};
