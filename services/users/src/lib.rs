//! The service that owns users: who they are and how they are reached.
//!
//! In: `users.v1.UsersService`. Out: the changes of `users.v1.User`. It takes nothing from others.
//! **Invariant:** an id names one user for ever; an erased user's data is nowhere in this database.

mod convert;
mod grpc;
mod operations;
mod store;
#[cfg(test)]
mod tests;
mod user;

use freehold_events::Operations;
use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_sdk::CONTRACT;
use freehold_sdk::users::v1::UsersServiceServer;
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "users";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
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

/// Opens the database and binds the port.
///
/// # Errors
/// What kept the database or the port from opening.
pub async fn start(host: Host) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let relay = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?.relay(&store).await?;
    let bound = Server::new(NAME, &CONTRACT)
        .serve(UsersServiceServer::new(grpc::Grpc { store: store.clone() }))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url).migrations(&freehold_events::MIGRATIONS).migrations(&MIGRATIONS)
}
