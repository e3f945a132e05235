//! The tables of this service. Nothing outside this folder writes SQL.

pub(crate) mod widget;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "widgets",
    steps: &[Migration {
        version: 1,
        name: "widgets",
        sql: include_str!("../../migrations/0001_widgets.sql"),
        postgres: None,
    }],
};
