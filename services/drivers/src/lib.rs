//! The service that owns drivers: who they are, what they drive, and where they are right now.
//!
//! In: `drivers.v1.DriversService`. Out: the changes of `drivers.v1.Driver` and `drivers.v1.Permit`. It takes nothing
//! from others. **Invariant:** an id names one driver for ever; of an erased driver nobody finds anything any more.

mod convert;
mod driver;
mod grpc;
mod live;
mod location;
mod operations;
mod retention;
mod store;
#[cfg(test)]
mod tests;
mod trail;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use freehold_events::Operations;
use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_sdk::CONTRACT;
use freehold_sdk::drivers::v1::DriversServiceServer;
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{Clock, OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

use crate::grpc::Grpc;
use crate::live::{Intake, Watchers};
use crate::operations::report_locations::Reporting;
use crate::retention::Sweeper;

pub use retention::{Retention, RetentionError};
pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "drivers";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// How long locations are kept is not understood.
    #[error("failed to read a setting")]
    Retention(#[from] RetentionError),
    /// Its database did not open.
    #[error("failed to open the database")]
    Store(#[from] OpenError),
    /// Its feed cannot be served from that database.
    #[error("failed to serve the feed")]
    Feed(#[from] FeedError),
    /// The bus is none that can be used.
    #[error("failed to use the bus")]
    Bus(#[from] BusError),
    /// Its port did not open.
    #[error("failed to serve")]
    Server(#[from] ServerError),
}

/// Opens the database, begins to take locations in and to remove old ones, and binds the port. How long locations are
/// kept says the environment, see [`Retention::from_env`].
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host) -> Result<Running, StartError> {
    let retention = Retention::from_env()?;
    let store = Store::open(options(&host.database_url)).await?;
    let relay = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?.relay(&store).await?;
    let Inside { grpc, intake } = Inside::new(&store, Arc::new(system_time), retention);
    let sweeping = grpc.sweeper.start();
    let bound = Server::new(NAME, &CONTRACT)
        .serve(DriversServiceServer::new(grpc))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { intake.stop().await })
        .then_stop(move || async move { sweeping.stop().await })
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port: what answers, and what writes locations down.
struct Inside {
    grpc: Grpc,
    intake: live::Handle,
}

impl Inside {
    fn new(store: &Store, clock: Clock, retention: Retention) -> Self {
        let (store, watchers) = (store.clone(), Watchers::default());
        let (queue, intake) = Intake::start(store.clone(), watchers.clone());
        let sweeper = Sweeper::new(store.clone(), Arc::clone(&clock), retention);
        let reporting = Reporting { store: store.clone(), intake: queue, clock, retention };
        Self { grpc: Grpc { store, reporting, watchers, sweeper }, intake }
    }
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url).migrations(&freehold_events::MIGRATIONS).migrations(&MIGRATIONS)
}

/// Milliseconds since 1970.
fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
