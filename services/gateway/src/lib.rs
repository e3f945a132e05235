//! The gateway: what several owners answer, on one page; what several owners change, all or nothing; and the directory.
//!
//! In: `gateway.v1.GatewayService`, `freehold.v1.Directory`, and HTTP/JSON for every owner's RPCs. Out: what comes by
//! HTTP, under its caller's name; what it asks for itself, under its own, as its needs declare. **Invariant:** it owns no
//! data: its database holds sagas and idempotency records, and nothing else.

pub mod generated;
mod grpc;
mod listing;
mod operations;
mod page;
mod sagas;
#[cfg(test)]
mod tests;

use freehold_saga::{DefinitionError, Executor, Options};
use freehold_sdk::gateway::v1::GatewayServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Store};
use freehold_transcode::{SchemaError, Transcoder};
use freehold_wire::directory::DirectoryServiceServer;

use crate::generated::Calls;
use crate::grpc::Grpc;
use crate::operations::replace_product::Replacing;
use crate::sagas::replace_product;

/// The owner's name in the contracts.
pub const NAME: &str = "gateway";

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database did not open.
    #[error("failed to open the database")]
    Store(#[from] OpenError),
    /// Its saga cannot be run.
    #[error("failed to run the sagas")]
    Saga(#[from] DefinitionError),
    /// The mesh does not know a service that is called.
    #[error("failed to find the other services")]
    Mesh(#[from] freehold_sdk::Error),
    /// The contracts have HTTP options that make no sense.
    #[error("failed to answer HTTP")]
    Web(#[from] SchemaError),
    /// Its port did not open.
    #[error("failed to serve")]
    Server(#[from] ServerError),
}

/// Opens the database, takes up unfinished sagas and binds the port. The directory lists the services of `mesh`.
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host, mesh: Mesh) -> Result<Running, StartError> {
    let store = Store::open(options(&host.database_url)).await?;
    let Inside { grpc, sagas } = Inside::start(&store, Calls::connect(&mesh)?, Options::default())?;
    let bound = Server::new(NAME, &CONTRACT)
        .serve(GatewayServiceServer::new(grpc))
        .serve(DirectoryServiceServer::new(listing::of(&mesh)))
        .web(Transcoder::new(&CONTRACT, mesh)?)
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { sagas.stop().await })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port: what answers, and what runs beside it.
struct Inside {
    grpc: Grpc,
    sagas: freehold_saga::Handle,
}

impl Inside {
    fn start(store: &Store, calls: Calls, options: Options) -> Result<Self, StartError> {
        let saga = replace_product::definition(&calls);
        let sagas = Executor::new(store.clone(), options).saga(&saga).start()?;
        let replacing = Replacing { store: store.clone(), saga, sagas: sagas.clone() };
        Ok(Self { grpc: Grpc { calls, replacing }, sagas })
    }
}

/// How the database at that url is opened.
#[must_use]
pub fn options(database_url: &str) -> freehold_store::Options {
    freehold_store::Options::new(NAME, database_url).migrations(&freehold_saga::MIGRATIONS)
}
