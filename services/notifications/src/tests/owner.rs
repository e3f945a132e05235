//! An owner whose feed notifications reads: a real database, its feed served over the wire.

use std::net::SocketAddr;

use freehold_events::feed::Feed;
use freehold_sdk::CONTRACT;
use freehold_server::{Error as ServerError, Server};
use freehold_store::{Options, Store, StoreError, Work, outbox};
use freehold_testkit::{Database, engines};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::{Context, Entity, Event};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::SOON;

/// A running owner.
pub(super) struct Owner {
    name: &'static str,
    store: Store,
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServerError>>,
    _database: Database,
}

impl Owner {
    /// Serves the owner of that name.
    pub(super) async fn serve(name: &'static str) -> Self {
        let database = engines::sqlite();
        let options = Options::new(name, database.url()).migrations(&freehold_events::MIGRATIONS);
        let store = Store::open(options).await.unwrap();
        let feed = FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT).unwrap());
        let bound = Server::new(name, &CONTRACT).serve(feed).bind().await.unwrap();
        let (address, shutdown) = (bound.addr(), CancellationToken::new());
        let serving = tokio::spawn(bound.run(shutdown.clone()));
        Self { name, store, address, shutdown, serving, _database: database }
    }

    /// Its name and where it answers.
    pub(super) fn place(&self) -> (&'static str, String) {
        (self.name, format!("http://{}", self.address))
    }

    /// Shares an entity as it is now.
    pub(super) async fn put(&self, entity: impl Entity) {
        self.unit(async move |work: &mut Work| work.put(&entity).await).await
    }

    /// Tells an event; its id.
    pub(super) async fn emit(&self, event: impl Event) -> String {
        self.unit(async move |work: &mut Work| work.emit(&event).await).await;
        let mut read = self.store.read().await.unwrap();
        let events = outbox::after(&self.store, &mut read, 0, 10_000).await.unwrap();
        events.last().unwrap().id.clone()
    }

    /// Erases an entity.
    pub(super) async fn erase<T: Entity>(&self, key: &'static str) {
        self.unit(async move |work: &mut Work| work.erase::<T>(key).await).await
    }

    async fn unit<F>(&self, change: F)
    where
        F: AsyncFnOnce(&mut Work) -> Result<i64, StoreError> + Send + 'static,
    {
        self.store.unit(&Context::new(self.name, SOON), change).await.unwrap();
    }

    /// Ends.
    pub(super) async fn end(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
        self.store.close().await;
    }
}
