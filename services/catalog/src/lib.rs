//! The service that owns products: what is sold, under which name, at which price.
//!
//! In: `catalog.v1.CatalogService`. Out: the changes of `catalog.v1.Product`, `PriceChanged`, `ProductDiscontinued`,
//! `ProductReinstated`. It takes nothing from others. **Invariant:** an id names one product for ever; what it costs us never leaves here.

mod convert;
mod discontinuation;
mod grpc;
mod operations;
mod product;
mod store;
#[cfg(test)]
mod tests;

use freehold_events::feed::{Feed, FeedError};
use freehold_sdk::CONTRACT;
use freehold_sdk::catalog::v1::CatalogServiceServer;
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::feed::FeedServiceServer;

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
    let bound = Server::new(NAME, &CONTRACT)
        .serve(CatalogServiceServer::new(grpc::Grpc { store: store.clone() }))
        .serve(FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound).then_stop(move || async move { store.close().await }))
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> Options {
    Options::new(NAME, database_url).migrations(&freehold_events::MIGRATIONS).migrations(&MIGRATIONS)
}
