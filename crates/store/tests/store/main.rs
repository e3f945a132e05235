//! The store through its public face: every case runs on SQLite, and on PostgreSQL where
//! `FREEHOLD_TEST_POSTGRES_URL` names a server that its tests may make schemas on.
//!
//! A case that guards against a fault carries a planted one, and proves that its own check finds it.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by panicking")]

#[macro_use]
mod engines;
mod child;
mod gates;
mod sample;

mod crash;
mod deliveries;
mod entities;
mod erasing;
mod gathering;
mod idempotency;
mod keys;
mod limits;
mod marks;
mod opening;
mod provisioning;
mod reading;
mod several;
mod ticks;
mod units;
