//! The tables of the catalog. Nothing outside this folder writes SQL.

pub(crate) mod attributes;
pub(crate) mod discontinuations;
pub(crate) mod products;
pub(crate) mod sales;

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
        Migration {
            version: 3,
            name: "sales",
            sql: include_str!("../../migrations/0003_sales.sql"),
            postgres: None,
        },
        Migration {
            version: 4,
            name: "attributes",
            sql: include_str!("../../migrations/0004_attributes.sql"),
            postgres: Some(include_str!("../../migrations/0004_attributes_postgres.sql")),
        },
    ],
};
