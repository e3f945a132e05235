//! The relay: publishes an owner's outbox to a bus, from within the owner's process.
//!
//! `lease` decides who relays, `holding` does so while it may, `records` is what the owner's database says of it, `outgoing`
//! what leaves. It goes on where it was marked last: what it had published beyond that is published again, under the same
//! ids. **Invariant:** an event is marked only after the bus has acknowledged it and all before it.

mod fault;
mod holding;
mod lease;
mod outgoing;
mod publishing;
mod records;
mod standing;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use freehold_store::Store;
use freehold_wire::Contract;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, BusError};
pub(crate) use fault::{Faults, Point};
pub(crate) use standing::standings;

/// How long a relay may take to end before it is aborted.
const GRACE: Duration = Duration::from_secs(5);

/// How a relay works.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most events that are published before their acknowledgements are waited for. 256 unless said.
    pub batch: usize,
    /// How often a beat says how far the relay has come. A second unless said.
    pub beat: Duration,
    /// How often the position is written down while there is more to publish. A quarter of a second unless said.
    pub mark: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch: 256, beat: Duration::from_secs(1), mark: Duration::from_millis(250) }
    }
}

/// An owner's relay to one bus, about to run.
#[derive(Debug, Clone)]
pub struct Relay {
    store: Store,
    contract: &'static Contract,
    bus: Arc<dyn Bus>,
    options: Options,
    faults: Faults,
}

/// A running relay; dropping it ends it too, without waiting.
#[derive(Debug)]
pub struct Handle {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Relay {
    /// The relay of the store's owner to a bus.
    #[must_use]
    pub fn new(store: Store, contract: &'static Contract, bus: Arc<dyn Bus>) -> Self {
        Self { store, contract, bus, options: Options::default(), faults: Faults::default() }
    }

    /// Works otherwise than by default.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Misbehaves where a test says.
    #[cfg(test)]
    pub(crate) fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Looks at the bus and begins. A bus that is away is waited for.
    ///
    /// # Errors
    /// [`BusError::Unsafe`]: the bus must be set up otherwise before anything is entrusted to it.
    pub async fn start(self) -> Result<Handle, BusError> {
        match self.bus.prepare(self.store.service()).await {
            Ok(prepared) => {
                for warning in prepared.warnings {
                    tracing::warn!(bus = self.bus.name(), %warning, "a setting of the bus may lose letters");
                }
            }
            Err(error @ BusError::Unsafe(_)) => return Err(error),
            Err(error) => tracing::warn!(bus = self.bus.name(), %error, "the bus is waited for"),
        }
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.run(stop.clone()));
        Ok(Handle { stop, task: Some(task) })
    }
}

/// Takes the relay over as another process would; answers its fence.
#[cfg(test)]
pub(crate) async fn overtake(store: &Store, bus: &'static str) -> i64 {
    let records = records::Records { store: store.clone(), bus, holder: "another".to_owned() };
    let held = records.held().await.unwrap();
    records.take(held).await.unwrap().unwrap()
}

impl Handle {
    /// The handle of no relay.
    pub(crate) fn idle() -> Self {
        Self { stop: CancellationToken::new(), task: None }
    }

    /// Ends the relay and waits for it: what it has published is marked.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(GRACE, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
