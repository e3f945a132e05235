//! The server kit on real sockets: a hand-made service behind it, the generated clients' channel or bare HTTP/2 in front.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod bare;
mod deadlines;
mod discovery;
mod echo;
mod hops;
mod limits;
mod messages;
mod metadata;
mod metrics;
mod overload;
mod panics;
mod rolling;
mod shutdown;
mod spans;
mod start;
mod web;
