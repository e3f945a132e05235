//! A server and what its service started beside it: they end together, in an order.
//!
//! A service's `start` returns one of these, and whoever hosts it, its own process or a mesh in one, runs it until
//! shutdown. **Invariant:** a part is told to stop only after everything that may use it has ended.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, select};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::server::Bound;

/// How long one part may take to stop before the next one is told to.
const STOP: Duration = Duration::from_secs(5);

type Stop = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// A service that is ready to run.
#[must_use]
pub struct Running {
    bound: Bound,
    /// Says which part has ended that it cannot do without.
    gone: BoxFuture<'static, &'static str>,
    stops: Vec<Stop>,
}

impl Running {
    /// A service that is its server alone.
    pub fn new(bound: Bound) -> Self {
        Self { bound, gone: pending().boxed(), stops: Vec::new() }
    }

    /// Ends the service when this does: without that part there is nothing that it could answer.
    pub fn needs(mut self, part: &'static str, ended: impl Future<Output = ()> + Send + 'static) -> Self {
        let gone = select(self.gone, ended.map(move |()| part).boxed());
        self.gone = gone.map(|first| first.factor_first().0).boxed();
        self
    }

    /// Stops something once the server has ended, and after what was named before.
    pub fn then_stop<F>(mut self, stop: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.stops.push(Box::new(|| Box::pin(stop())));
        self
    }

    /// Where its server listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.bound.addr()
    }

    /// Serves until `shutdown`, or until something that it needs has ended, then stops everything in its order.
    ///
    /// # Errors
    /// [`Error::Gone`], or as [`Bound::run`]; everything is stopped all the same.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let end = shutdown.child_token();
        let mut serving = pin!(self.bound.run(end.clone()));
        let served = tokio::select! {
            served = &mut serving => served,
            part = self.gone => {
                end.cancel();
                serving.await.and(Err(Error::Gone { part }))
            }
        };
        for stop in self.stops {
            if tokio::time::timeout(STOP, stop()).await.is_err() {
                tracing::warn!("a part of the service did not stop in time and is left behind");
            }
        }
        served
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("bound", &self.bound).finish_non_exhaustive()
    }
}
