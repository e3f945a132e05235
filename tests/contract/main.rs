//! What the contracts promise of every service, tried over the wire against a real mesh: who may call, what bad input
//! gets, what a session sees.
//!
//! Most of it is made from the contracts' own texts, so that an RPC, a field or a consumer that is added is tried
//! without an edit here. The tests share one mesh; the last one that lets go of it has it verified.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, its helpers included")]

mod access;
mod bad_input;
mod contract;

mod erasure;
mod feed_access;
mod history;
mod mesh;
mod messages;
mod records;
mod sessions;
mod undeclared;
mod wire;
mod world;
