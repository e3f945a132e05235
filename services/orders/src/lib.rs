//! The service that owns orders: what was ordered, and how far it has come; and baskets, of what may be.
//!
//! In: `orders.v1.OrdersService`; copies of products and customers. Out: the changes and events of `orders.v1.Order`.
//! Placing is a saga over inventory and payments. **Invariant:** an order is the fold of its events, kept for ever.

mod basket;
mod convert;
mod copies;
pub mod generated;
mod grpc;
mod operations;
mod order;
mod sagas;
mod store;
#[cfg(test)]
mod tests;

use freehold_events::bus::{BusError, Choice};
use freehold_events::feed::{Feed, FeedError};
use freehold_events::{Consumer, Operations};
use freehold_replica::{Replica, ReplicaError};
use freehold_saga::{DefinitionError, Executor};
use freehold_sdk::orders::v1::OrdersServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::operations::OperationsServiceServer;

use crate::copies::Copies;
use crate::generated::Calls;
use crate::grpc::Grpc;
use crate::operations::place_order::Placing;
use crate::sagas::place_order;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "orders";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database did not open.
    #[error("failed to open the database")]
    Store(#[from] OpenError),
    /// Its feed cannot be served from that database.
    #[error("failed to serve the feed")]
    Feed(#[from] FeedError),
    /// Its saga cannot be run.
    #[error("failed to run the sagas")]
    Saga(#[from] DefinitionError),
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

/// Opens the database, begins to copy, takes up unfinished sagas and binds the port.
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host, mesh: Mesh) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let bus = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?;
    let relay = bus.relay(&store).await?;
    let Inside { grpc, copying, sagas } = Inside::start(&store, &mesh, &bus, &Calls::connect(&mesh)?).await?;
    let bound = Server::new(NAME, &CONTRACT)
        .serve(OrdersServiceServer::new(grpc))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?.keeping(host.keep.into())))
        .serve(OperationsServiceServer::new(Operations::new(store.clone()).with(sagas.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { sagas.stop().await })
        .then_stop(move || async move { copying.stop().await })
        .then_stop(move || async move { relay.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port: what answers, and what runs beside it.
struct Inside {
    grpc: Grpc,
    copying: freehold_events::Handle,
    sagas: freehold_saga::Handle,
}

impl Inside {
    async fn start(store: &Store, mesh: &Mesh, bus: &Choice, calls: &Calls) -> Result<Self, StartError> {
        let customers = Replica::new(store, mesh).await?;
        let products = Replica::new(store, mesh).await?;
        let copying = Consumer::new(store.clone(), mesh.clone())
            .over(bus)
            .subscribe(customers.subscription())
            .subscribe(products.subscription())
            .start();
        let saga = place_order::definition(calls);
        let sagas = Executor::new(store.clone(), freehold_saga::Options::default()).saga(&saga).start()?;
        let copies = Copies { products, customers };
        let placing = Placing { store: store.clone(), copies, saga, sagas: sagas.clone() };
        Ok(Self { grpc: Grpc { placing }, copying, sagas })
    }
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url)
        .migrations(&freehold_events::MIGRATIONS)
        .migrations(&freehold_replica::MIGRATIONS)
        .migrations(&freehold_saga::MIGRATIONS)
        .migrations(&MIGRATIONS)
}
