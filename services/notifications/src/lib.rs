//! The service that writes mails: one for each thing that a customer wants to know about an order.
//!
//! In: the events of `orders.v1.Order`, a copy of users; `notifications.v1.NotificationsService` to look. Out: mails.
//! **Invariant:** an event becomes one mail, which leaves at least once under the event's id.

pub mod generated;
mod grpc;
mod mail;
mod operations;
mod outgoing;
mod reactions;
mod store;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use freehold_events::bus::{BusError, Choice};
use freehold_events::{Consumer, Handle, Operations};
use freehold_replica::{Replica, ReplicaError};
use freehold_sdk::notifications::v1::NotificationsServiceServer;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::host::Host;
use freehold_server::{Error as ServerError, Running, Server};
use freehold_store::{OpenError, Options, Store};
use freehold_wire::operations::OperationsServiceServer;
use tokio_util::sync::CancellationToken;

use crate::generated::RecipientCopy;
use crate::grpc::Grpc;
use crate::outgoing::{Outgoing, SmtpUrlError};
use crate::reactions::WriteMails;

pub use store::MIGRATIONS;

/// The owner's name in the contracts.
pub const NAME: &str = "notifications";

/// Where mails go.
#[derive(Debug, Clone)]
pub struct Mails {
    /// The folder that they are written into, a file each.
    pub folder: PathBuf,
    /// The mail server that they go to instead: "smtp://host:port".
    pub smtp: Option<String>,
}

impl Mails {
    /// What FREEHOLD_NOTIFICATIONS_MAILS and FREEHOLD_NOTIFICATIONS_SMTP say; `freehold-data/mails` where they are
    /// silent.
    #[must_use]
    pub fn from_env() -> Self {
        let folder = std::env::var_os("FREEHOLD_NOTIFICATIONS_MAILS").map(PathBuf::from);
        Self {
            folder: folder.unwrap_or_else(|| [freehold_server::host::DATA, "mails"].iter().collect()),
            smtp: std::env::var("FREEHOLD_NOTIFICATIONS_SMTP").ok().filter(|url| !url.is_empty()),
        }
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database did not open.
    #[error("failed to open the database")]
    Store(#[from] OpenError),
    /// A copy cannot be kept.
    #[error("failed to keep the copies")]
    Replica(#[from] ReplicaError),
    /// The mail server's address is none.
    #[error("failed to find the mail server")]
    Smtp(#[from] SmtpUrlError),
    /// The bus is none that can be used.
    #[error("failed to use the bus")]
    Bus(#[from] BusError),
    /// Its port did not open.
    #[error("failed to serve")]
    Server(#[from] ServerError),
}

/// Opens the database, begins to copy and to react, hands mails over and binds the port.
///
/// # Errors
/// What kept one of them from starting.
pub async fn start(host: Host, mesh: Mesh, mails: Mails) -> Result<Running, StartError> {
    let outgoing = Outgoing::new(mails.folder, mails.smtp.as_deref())?;
    let store = Store::open(options(&host.database_url)).await?;
    let bus = Choice::of(host.bus_url.as_deref(), &CONTRACT).await?;
    let Inside { grpc, reacting } = Inside::start(&store, mesh, &bus).await?;
    let sent = CancellationToken::new();
    let sending = tokio::spawn(outgoing.run(store.clone(), sent.clone()));
    let bound = Server::new(NAME, &CONTRACT)
        .serve(NotificationsServiceServer::new(grpc))
        .serve(OperationsServiceServer::new(Operations::new(store.clone())))
        .listen(host.listen)
        .trust_metadata(host.trust_metadata)
        .bind()
        .await?;
    Ok(Running::new(bound)
        .needs("store", store.ended())
        .then_stop(move || async move { reacting.stop().await })
        .then_stop(move || async move {
            sent.cancel();
            // It ends by itself; where it panicked there is nothing left to end.
            let _ = sending.await;
        })
        .then_stop(move || async move { store.close().await }))
}

/// The service without its port and its mails: what answers, and what writes down what there is to tell.
struct Inside {
    grpc: Grpc,
    reacting: Handle,
}

impl Inside {
    async fn start(store: &Store, mesh: Mesh, bus: &Choice) -> Result<Self, StartError> {
        let recipients = Replica::<RecipientCopy>::new(store, &mesh).await?;
        let reacting = Consumer::new(store.clone(), mesh)
            .over(bus)
            .subscribe_all(generated::subscriptions(WriteMails))
            .subscribe(recipients.subscription())
            .start();
        Ok(Self { grpc: Grpc { store: store.clone() }, reacting })
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
