//! The channel against peers that do what no good peer does: HTTP/2 is spoken by hand, on real sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cache;
mod connections;
mod deadlines;
mod decisions;
mod faults;
mod hedging;
mod messages;
mod metadata;
mod metrics;
mod peer;
mod raw;
mod replicas;
mod resolving;
mod retries;
