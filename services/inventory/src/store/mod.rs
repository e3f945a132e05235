//! The tables of inventory. Nothing outside this folder writes SQL.

pub(crate) mod deliveries;
pub(crate) mod reservations;
pub(crate) mod stocks;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "inventory",
    steps: &[Migration {
        version: 1,
        name: "stock",
        sql: include_str!("../../migrations/0001_stock.sql"),
        postgres: None,
    }],
};
