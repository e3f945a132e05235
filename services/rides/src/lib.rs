//! The service that owns rides: who is driven from where to where, by whom.
//!
//! In: copies of drivers, their permits and riders. Out: the changes and events of `rides.v1.Ride`.
//! **Invariant:** what is shown of a driver says where it came from and how old it is.

pub mod generated;

use freehold_events::Consumer;
use freehold_events::feed::{Feed, FeedError};
use freehold_replica::{Replica, ReplicaError};
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;

use crate::generated::{DriverCopy, PermitCopy, RiderCopy};

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
    let copying = Consumer::new(store.clone(), mesh.clone())
        .subscribe(Replica::<DriverCopy>::new(&store, &mesh).await?.subscription())
        .subscribe(Replica::<PermitCopy>::new(&store, &mesh).await?.subscription())
        .subscribe(Replica::<RiderCopy>::new(&store, &mesh).await?.subscription())
        .start();
    let bound = Server::new(NAME, &CONTRACT)
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .then_stop(move || async move { copying.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url)
        .migrations(&freehold_events::MIGRATIONS)
        .migrations(&freehold_replica::MIGRATIONS)
}
