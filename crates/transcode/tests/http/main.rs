//! HTTP/JSON on real sockets: a client that speaks HTTP/1.1, a gateway, and an owner behind it that speaks gRPC.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod contract;
mod errors;
mod fuzz;
mod identity;
mod openapi;
mod options;
mod owner;
mod routes;
mod streams;
mod world;
