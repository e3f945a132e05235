//! Holding the relay: waits for the lease, publishes under its fence, and begins again when that ends.
//!
//! **Invariant:** it ends only when it is told to, or with its database.

use std::time::{Duration, Instant};

use freehold_store::{Engine, StoreError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Relay;
use super::lease::{Next, RENEWAL, Watch};
use super::publishing::{Publishing, Stopped};
use super::records::Records;
use crate::bus::BusError;
use crate::link;

impl Relay {
    /// Relays until it is told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        let holder = format!("{:016x}", fastrand::u64(..));
        let records = Records { store: self.store.clone(), bus: self.bus.name(), holder };
        let mut waits = link::reconnects();
        while !stop.is_cancelled() {
            let Some(fence) = stop.run_until_cancelled(lease_of(&records)).await else { return };
            let stopped = match fence {
                Ok(fence) => self.hold(&records, fence, &stop, &mut waits).await,
                Err(error) => Stopped::Store(error),
            };
            if let Stopped::Store(StoreError::Closed) | Stopped::Asked = stopped {
                return;
            }
            tracing::warn!(bus = records.bus, owner = self.store.service(), %stopped, "the relay begins again");
            let wait = waits.next().unwrap_or(Duration::from_secs(5));
            stop.run_until_cancelled(sleep(wait)).await;
        }
    }

    /// Publishes under a fence until that ends.
    async fn hold(
        &self,
        records: &Records,
        fence: i64,
        stop: &CancellationToken,
        waits: &mut backoff::ExponentialBackoff,
    ) -> Stopped {
        loop {
            let stopped = match Publishing::begin(self, records, fence).await {
                Ok(mut publishing) => {
                    let stopped = publishing.run(stop).await;
                    if publishing.has_published() {
                        *waits = link::reconnects();
                    }
                    stopped
                }
                Err(stopped) => stopped,
            };
            let Stopped::Bus(error) = stopped else { return stopped };
            tracing::warn!(bus = records.bus, owner = self.store.service(), %error, "the relay waits for the bus");
            if let Err(error) = records.renew(fence, None, told(&error)).await {
                return error.into();
            }
            let wait = waits.next().unwrap_or(Duration::from_secs(5)).min(RENEWAL);
            if stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return Stopped::Asked;
            }
        }
    }
}

/// Waits until this process may relay; answers its fence.
async fn lease_of(records: &Records) -> Result<i64, StoreError> {
    let (mut watch, alone) = (Watch::default(), records.store.engine() == Engine::Sqlite);
    loop {
        let held = records.held().await?;
        match watch.observe(held, alone, Instant::now()) {
            Next::Take => {
                if let Some(fence) = records.take(held).await? {
                    return Ok(fence);
                }
            }
            Next::Wait(wait) => sleep(wait).await,
        }
    }
}

/// An error with what it was caused by, as it is kept on record.
pub(super) fn told(error: &BusError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.chars().filter(|c| *c != '\0').take(1000).collect()
}
