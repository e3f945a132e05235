//! An owner that a test stands in for: a real database with an outbox, and where it is served, a real server.
//!
//! What it shares it writes as a service does, in units of work, without a service's operations around them.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use freehold_server::Server;
use freehold_store::{Migrations, Options, Store, StoreError, Work, outbox};
use freehold_wire::pb::{Envelope, Token};
use freehold_wire::{Context, Entity, Event};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engines::{self, Database};
use crate::scratch::Scratch;

/// How long a unit of work may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An owner with a database of its own, on the engine that the run is about.
#[derive(Debug)]
pub struct Owner {
    name: &'static str,
    migrations: &'static Migrations,
    store: Store,
    database: Database,
}

impl Owner {
    /// The owner of that name, with the tables that its feed wants.
    ///
    /// # Panics
    /// Its database cannot be made.
    pub async fn open(name: &'static str, migrations: &'static Migrations) -> Self {
        Self::on(name, migrations, engines::own().await).await
    }

    /// The owner as it comes back from an [`image`] of its folder.
    ///
    /// # Panics
    /// The image has no database that can be opened.
    pub async fn of_image(name: &'static str, migrations: &'static Migrations, folder: Scratch) -> Self {
        Self::on(name, migrations, engines::sqlite_in(folder)).await
    }

    async fn on(name: &'static str, migrations: &'static Migrations, database: Database) -> Self {
        let store = crate::open(Options::new(name, database.url()).migrations(migrations)).await;
        Self { name, migrations, store, database }
    }

    /// The owner as it comes back from a backup that is taken now. Both go on, each by itself. On SQLite.
    ///
    /// # Panics
    /// The backup cannot be made or opened.
    pub async fn backup(&self) -> Self {
        Self::of_image(self.name, self.migrations, image(self.folder())).await
    }

    /// Ends the process and starts it again on the same database.
    ///
    /// # Panics
    /// The database cannot be opened again.
    pub async fn restart(self) -> Self {
        let Self { name, migrations, store, database } = self;
        store.close().await;
        drop(store);
        Self::on(name, migrations, database).await
    }

    /// Another instance of the owner on the same database, which has to be PostgreSQL's.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn instance(&self) -> Store {
        crate::open(Options::new(self.name, self.database.url()).migrations(self.migrations)).await
    }

    /// Its database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where its database is, on SQLite.
    ///
    /// # Panics
    /// On PostgreSQL.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.database.folder().unwrap_or_else(|| panic!("a PostgreSQL database has no folder"))
    }

    /// Shares an entity as it is now.
    ///
    /// # Panics
    /// The store refuses, as in all that follows.
    pub async fn put(&self, entity: impl Entity) -> Token {
        self.unit(async move |work: &mut Work| work.put(&entity).await).await.1
    }

    /// Deletes an entity.
    ///
    /// # Panics
    /// As [`Owner::put`].
    pub async fn delete<T: Entity>(&self, key: &str) -> Token {
        let key = key.to_owned();
        self.unit(async move |work: &mut Work| work.delete::<T>(&key).await).await.1
    }

    /// Erases an entity.
    ///
    /// # Panics
    /// As [`Owner::put`].
    pub async fn erase<T: Entity>(&self, key: &str) -> Token {
        let key = key.to_owned();
        self.unit(async move |work: &mut Work| work.erase::<T>(&key).await).await.1
    }

    /// Tells an event; answers it as it was kept.
    ///
    /// # Panics
    /// As [`Owner::put`].
    pub async fn emit(&self, event: impl Event) -> Envelope {
        let (_, token) = self.unit(async move |work: &mut Work| work.emit(&event).await).await;
        let mut read = done(self.store.read().await);
        let kept = done(outbox::after(&self.store, &mut read, token.mark - 1, 1).await);
        kept.into_iter().next().unwrap_or_else(|| panic!("the event of {token:?} is not kept"))
    }

    /// Does something in a unit of work.
    ///
    /// # Panics
    /// As [`Owner::put`].
    pub async fn unit<T, F>(&self, unit: F) -> (T, Token)
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Work) -> Result<T, StoreError> + Send + 'static,
    {
        done(self.store.unit(&Context::new(self.name, PATIENCE), unit).await)
    }

    /// Serves what is made of its store, on a port of the system's choice.
    ///
    /// # Panics
    /// It cannot be served.
    pub async fn serve(self, server: impl FnOnce(Store) -> Server) -> Served {
        let bound = done(server(self.store.clone()).bind().await);
        let (address, shutdown) = (bound.addr(), CancellationToken::new());
        let gone = CancellationToken::new();
        let (running, last) = (bound.run(shutdown.clone()), gone.clone().drop_guard());
        let serving = tokio::spawn(async move {
            done(running.await);
            drop(last);
        });
        Served { owner: self, address, shutdown, gone, serving }
    }
}

/// An owner that is served.
#[derive(Debug)]
pub struct Served {
    owner: Owner,
    address: SocketAddr,
    shutdown: CancellationToken,
    gone: CancellationToken,
    serving: JoinHandle<()>,
}

impl Served {
    /// Its name and where it answers.
    #[must_use]
    pub fn place(&self) -> (&'static str, String) {
        (self.owner.name, format!("http://{}", self.address))
    }

    /// Goes away: when this returns nobody hears of it any more. Its database stays open.
    pub async fn leave(&self) {
        self.shutdown.cancel();
        self.gone.cancelled().await;
    }

    /// Ends.
    ///
    /// # Panics
    /// Its server has failed.
    pub async fn end(self) {
        self.leave().await;
        done(self.serving.await);
        self.owner.store.close().await;
    }
}

impl Deref for Served {
    type Target = Owner;

    fn deref(&self) -> &Owner {
        &self.owner
    }
}

/// All events that a store keeps, oldest first.
///
/// # Panics
/// They cannot be read.
pub async fn kept(store: &Store) -> Vec<Envelope> {
    done(outbox::after(store, &mut done(store.read().await), 0, i64::MAX).await)
}

/// What a process that is killed now leaves in its folder.
///
/// # Panics
/// The folder cannot be copied.
#[must_use]
pub fn image(of: &Path) -> Scratch {
    let folder = Scratch::new("image");
    for file in done(std::fs::read_dir(of)) {
        let file = done(file);
        // The shared memory of the log belongs to the running process.
        if !file.path().to_string_lossy().ends_with("-shm") {
            done(std::fs::copy(file.path(), folder.join(file.file_name())));
        }
    }
    folder
}

fn done<T, E: Debug>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("an owner that a test stands in for failed: {error:?}"))
}
