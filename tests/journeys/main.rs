//! Whole-mesh journeys: the built command and the built services as real processes, started, killed and looked at as a
//! user would.
//!
//! Every test has folders and ports of its own, so all of them run side by side. What a mesh must have kept is asked of
//! `freehold verify`, which is itself tested here against databases that were damaged on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod apart;
mod call;
mod clients;
mod demo;
mod doctor;
mod engines;
mod faults;
mod gateway;
mod kept;
mod keyed;
mod mesh;
mod nats;
mod once;
mod openapi;
mod operate;
mod ports;
mod postgres;
mod power;
mod records;
mod refused;
mod reread;
mod retention;
mod rides;
mod sales;
mod survival;
mod tools;
mod up;
mod verify;
