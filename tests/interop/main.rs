//! The cases of the public gRPC interoperability suite, ours against gRPC's own Python package in both directions.
//!
//! The service and its messages are those that "gRPC Interop Test Case Descriptions" names; client, servers and cases are
//! written here. `theirs` has their client call a server of our kit, `ours` our channel call their server. What is not
//! among the cases, and why, is in docs/calls.md.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod messages;
mod ours;
mod service;
mod theirs;
#[path = "../journeys/tools.rs"]
#[expect(dead_code, reason = "the journeys need more of it")]
mod tools;

/// The folder of the scripts.
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
