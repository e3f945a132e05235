//! The service that owns rides: who is driven from where to where, by whom.
//!
//! In: `rides.v1.RidesService`; copies of drivers, their permits and riders; calls for what is too quick to be copied.
//! Out: the changes and events of `rides.v1.Ride`. **Invariant:** what is shown of others says where it came from, how
//! old it is, and what keeps it from being younger.

mod convert;
mod copies;
pub mod generated;
mod grpc;
mod live;
mod operations;
mod part;
mod ride;
mod store;
#[cfg(test)]
mod tests;

use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_events::{Consumer, Operations};
use freehold_replica::{Replica, ReplicaError};
use freehold_sdk::rides::v1::RidesServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

use crate::copies::Copies;
use crate::generated::Calls;
use crate::grpc::Grpc;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "rides";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database did not open.
    #[error("failed to open the database")]
    Store(#[from] OpenError),
    /// Its feed cannot be served from that database.
    #[error("failed to serve the feed")]
    Feed(#[from] FeedError),
    /// A copy cannot be kept.
    #[error("failed to keep the copies")]
    Replica(#[from] ReplicaError),
    /// The mesh does not know a service that is called.
    #[error("failed to find the other services")]
    Mesh(#[from] freehold_sdk::Error),
    /// The bus is none that can be used.
    #[error("failed to use the bus")]
    Bus(#[from] BusError),
    /// Its port did not open.
    #[error("failed to serve")]
    Server(#[from] ServerError),
}

/// Opens the database, begins to copy and binds the port.
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host, mesh: Mesh) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let bus = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?;
    let relay = bus.relay(&store).await?;
    let Inside { grpc, copying } = Inside::new(&store, &mesh, Calls::connect(&mesh)?).await?;
    let copying = copying.over(&bus).start();
    let bound = Server::new(NAME, &CONTRACT)
        .serve(RidesServiceServer::new(grpc))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { copying.stop().await })
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port: what answers, and what is to run beside it.
struct Inside {
    grpc: Grpc,
    copying: Consumer,
}

impl Inside {
    async fn new(store: &Store, mesh: &Mesh, calls: Calls) -> Result<Self, StartError> {
        let drivers = Replica::new(store, mesh).await?;
        let permits = Replica::new(store, mesh).await?;
        let riders = Replica::new(store, mesh).await?;
        let copying = Consumer::new(store.clone(), mesh.clone())
            .subscribe(drivers.subscription())
            .subscribe(permits.subscription())
            .subscribe(riders.subscription());
        let copies = Copies { drivers, permits, riders };
        Ok(Self { grpc: Grpc { store: store.clone(), copies, calls }, copying })
    }
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url)
        .migrations(&freehold_events::MIGRATIONS)
        .migrations(&freehold_replica::MIGRATIONS)
        .migrations(&MIGRATIONS)
}
