//! The service that owns products: what is sold, under which name, at which price.
//!
//! In: `catalog.v1.CatalogService`. Out: the changes of `catalog.v1.Product`, `PriceChanged`, `ProductDiscontinued`,
//! `ProductReinstated`. It takes the events of orders, of which it makes how products sell. **Invariant:** an id names one product for ever; what it costs us never leaves here.

mod attributes;
mod convert;
mod discontinuation;
pub mod generated;
mod grpc;
mod month;
mod operations;
mod product;
mod sales;
mod store;
#[cfg(test)]
mod tests;

use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_events::{Consumer, Handle, Operations};
use freehold_sdk::catalog::v1::CatalogServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

use crate::grpc::Grpc;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "catalog";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database did not open.
    #[error("failed to open the database")]
    Store(#[from] OpenError),
    /// Its feed cannot be served from that database.
    #[error("failed to serve the feed")]
    Feed(#[from] FeedError),
    /// The mesh does not know a service that is read from.
    #[error("failed to find the other services")]
    Mesh(#[from] freehold_sdk::Error),
    /// The bus is none that can be used.
    #[error("failed to use the bus")]
    Bus(#[from] BusError),
    /// Its port did not open.
    #[error("failed to serve")]
    Server(#[from] ServerError),
}

/// Opens the database, begins to follow the orders and binds the port.
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host, mesh: Mesh) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let bus = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?;
    let relay = bus.relay(&store).await?;
    let Inside { grpc, following } = Inside::start(&store, mesh, &bus)?;
    let bound = Server::new(NAME, &CONTRACT)
        .serve(CatalogServiceServer::new(grpc))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { following.stop().await })
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port: what answers, and what follows the orders.
struct Inside {
    grpc: Grpc,
    following: Handle,
}

impl Inside {
    fn start(store: &Store, mesh: Mesh, bus: &Choice) -> Result<Self, StartError> {
        let sales = sales::projection();
        let grpc = Grpc { store: store.clone(), sales: sales.rebuilds(&mesh)? };
        let following = Consumer::new(store.clone(), mesh).over(bus).project(sales).start();
        Ok(Self { grpc, following })
    }
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url).migrations(&freehold_events::MIGRATIONS).migrations(&MIGRATIONS)
}
