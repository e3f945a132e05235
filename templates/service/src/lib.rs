//! The service that owns widgets.
//!
//! In: `widgets.v1.WidgetsService`, and what its needs.proto takes from others. Out: the changes of `widgets.v1.Widget`.
//! **Invariant:** an id is given away once.

mod convert;
pub mod generated;
mod grpc;
mod operations;
mod store;
#[cfg(test)]
mod tests;
mod widget;

use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_events::{Consumer, Handle, Operations};
use freehold_sdk::widgets::v1::WidgetsServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

use crate::grpc::Grpc;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "widgets";

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

/// Opens the database, begins to publish and to learn from others, and binds the port.
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host, mesh: Mesh) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let bus = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?;
    let relay = bus.relay(&store).await?;
    let (grpc, learning) = inside(&store, mesh, &bus).await?;
    let bound = Server::new(NAME, &CONTRACT)
        .serve(WidgetsServiceServer::new(grpc))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { learning.stop().await })
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port: what answers, and what learns from others beside it.
async fn inside(store: &Store, mesh: Mesh, bus: &Choice) -> Result<(Grpc, Handle), StartError> {
    let learning = Consumer::new(store.clone(), mesh).over(bus).start();
    Ok((Grpc { store: store.clone() }, learning))
}

fn options(database_url: &str) -> Options {
    let options = Options::new(NAME, database_url).migrations(&freehold_events::MIGRATIONS);
    options.migrations(&MIGRATIONS)
}
