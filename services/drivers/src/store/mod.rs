//! The tables of drivers. Nothing outside this folder writes SQL.

pub(crate) mod drivers;
pub(crate) mod expiry;
pub(crate) mod latest;
pub(crate) mod ratings;
pub(crate) mod sightings;
pub(crate) mod track;
mod wide;

use freehold_store::{Migration, Migrations};

/// The schema of this service, step by step.
pub const MIGRATIONS: Migrations = Migrations {
    set: "drivers",
    steps: &[
        Migration {
            version: 1,
            name: "drivers",
            sql: include_str!("../../migrations/0001_drivers.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            name: "locations",
            sql: include_str!("../../migrations/0002_locations.sql"),
            postgres: None,
        },
    ],
};
