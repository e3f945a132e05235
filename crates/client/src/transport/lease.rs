//! One attempt's place on a connection.
//!
//! **Invariant:** whatever becomes of the attempt, its place is given back and its replica's books are closed, once
//! each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;

use super::connection::Connected;
use super::pool::Pool;
use crate::policy::load::Verdict;

/// A place on a connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    at: Connected,
    send: SendRequest<Bytes>,
    began: Instant,
    judged: bool,
}

impl Lease {
    pub(crate) fn new(pool: Arc<Pool>, at: Connected, send: SendRequest<Bytes>, began: Instant) -> Self {
        Self { pool, at, send, began, judged: false }
    }

    /// Where it leads.
    pub(crate) fn at(&self) -> Connected {
        self.at
    }

    /// The replica's address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.at.address
    }

    /// Sends on its connection.
    pub(crate) fn sender(&self) -> SendRequest<Bytes> {
        self.send.clone()
    }

    /// Says how the attempt ended, as far as the replica is to blame; for a stream, how it began.
    pub(crate) fn judge(&mut self, verdict: Verdict) -> Duration {
        let took = self.began.elapsed();
        if !self.judged {
            self.judged = true;
            self.pool.judge(self.at, verdict, took, self.began + took);
        }
        took
    }

    /// The connection takes no further call.
    pub(crate) fn is_ending(&self) {
        self.pool.is_ending(self.at);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.judge(Verdict::Dropped);
        self.pool.give_back(self.at);
    }
}
