//! The service that owns stock: how much of each product there is, and for which order it is held.
//!
//! In: `inventory.v1.InventoryService`, and what orders tell of being shipped and cancelled. Out: the changes of
//! `inventory.v1.Stock` and `inventory.v1.Reservation`, `StockReceived`.
//! **Invariant:** on hand plus shipped is what came in, and never is more held than lies on the shelf.

mod convert;
mod delivery;
pub mod generated;
mod grpc;
mod holding;
mod operations;
mod reactions;
mod reservation;
mod stock;
mod store;
#[cfg(test)]
mod tests;

use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_events::{Consumer, Operations};
use freehold_sdk::inventory::v1::InventoryServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

use crate::reactions::ToOrders;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "inventory";

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

/// Opens the database, binds the port and follows the orders.
///
/// # Errors
/// What kept the database or the port from opening.
pub async fn start(host: Host, mesh: Mesh) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let bus = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?;
    let relay = bus.relay(&store).await?;
    let bound = Server::new(NAME, &CONTRACT)
        .serve(InventoryServiceServer::new(grpc::Grpc { store: store.clone() }))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    let following = generated::subscriptions(ToOrders)
        .into_iter()
        .fold(Consumer::new(store.clone(), mesh).over(&bus), Consumer::subscribe)
        .start();
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { following.stop().await })
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url).migrations(&freehold_events::MIGRATIONS).migrations(&MIGRATIONS)
}
