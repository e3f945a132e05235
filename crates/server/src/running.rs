//! A service that has started: its bound port, and what else must end with it, in order.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio_util::sync::CancellationToken;

use crate::server::{Bound, ServerError};

type Stop = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A started service. It answers once `run` is awaited, and has released everything when `run` returns.
pub struct Running {
    bound: Bound,
    stops: Vec<Stop>,
}

impl Running {
    /// A service that listens.
    #[must_use]
    pub fn new(bound: Bound) -> Self {
        Self { bound, stops: Vec::new() }
    }

    /// Adds something that is stopped after the server, in the order of adding: consumers, then sagas, then the store.
    #[must_use]
    pub fn then_stop<F>(mut self, stop: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.stops.push(Box::new(move || Box::pin(stop())));
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.bound.addr()
    }

    /// Serves until `shutdown`, then stops everything else.
    ///
    /// # Errors
    /// What ended the server before it was asked to.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let served = self.bound.run(shutdown).await;
        for stop in self.stops {
            stop().await;
        }
        served
    }
}
