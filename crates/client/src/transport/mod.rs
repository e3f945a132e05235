//! The way of the bytes: connections of our own over the h2 crate, and what is sent and taken over them.
//!
//! A [`Pool`] holds the replicas of one service and their connections, and lends a [`Lease`] of one to each attempt; an
//! [`exchange`] is one attempt. The decisions are those of [`crate::policy`]; here is the IO around them.

mod connection;
pub(crate) mod dial;
pub(crate) mod exchange;
mod health;
mod lease;
pub(crate) mod pool;
mod pump;
mod replicas;
pub(crate) mod replies;

pub(crate) use lease::Lease;
pub(crate) use pool::Pool;
