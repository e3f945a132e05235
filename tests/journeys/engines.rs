//! The engines that a mesh under test stands on: databases that go with the test, and a broker of its own.
//!
//! What a run lacks nothing is tested on: `cargo xtask test --engines` brings both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehold_server::databases::Databases;
use freehold_store::ReadOnly;
use freehold_testkit::checker::Rows;
use freehold_testkit::{PATIENCE, eventually};

use crate::nats::{self, Broker};
use crate::postgres::{self, Made};

/// Where events and data are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    /// Files, and the owners' feeds.
    Sqlite,
    SqliteAndNats,
    Postgres,
    PostgresAndNats,
}

impl On {
    pub(crate) fn has_nats(self) -> bool {
        matches!(self, Self::SqliteAndNats | Self::PostgresAndNats)
    }

    pub(crate) fn has_postgres(self) -> bool {
        matches!(self, Self::Postgres | Self::PostgresAndNats)
    }
}

/// Engines of one mesh, whose databases are in the folder `data` of `folder`, or said there.
pub(crate) struct Engines {
    folder: PathBuf,
    broker: Option<Broker>,
    open: BTreeMap<&'static str, ReadOnly>,
    _made: Option<Made>,
}

impl Engines {
    /// Empty ones; `None` where this run lacks one of them.
    pub(crate) async fn start(folder: &Path, on: On) -> Option<Self> {
        let server = std::env::var(postgres::SERVER).ok();
        // A program that was built without the bus knows none.
        let program = std::env::var(nats::SERVER).ok().filter(|_| cfg!(feature = "nats"));
        if (on.has_postgres() && server.is_none()) || (on.has_nats() && program.is_none()) {
            println!("not run: there is no {on:?} here");
            return None;
        }
        let server = server.filter(|_| on.has_postgres());
        let program = program.filter(|_| on.has_nats());
        Some(Self::on(folder, server.as_deref(), program.as_deref()).await)
    }

    /// Databases on that server, where one is said, and a broker of that program, where one is.
    pub(crate) async fn on(folder: &Path, server: Option<&str>, program: Option<&str>) -> Self {
        let made = match server {
            Some(server) => Some(Made::on(folder, server).await),
            None => None,
        };
        let broker = match program {
            Some(program) => Some(Broker::start(program, folder).await),
            None => None,
        };
        Self { folder: folder.to_owned(), broker, open: BTreeMap::new(), _made: made }
    }

    /// The broker, where there is one.
    pub(crate) fn broker(&mut self) -> Option<&mut Broker> {
        self.broker.as_mut()
    }

    /// What a program of the mesh is told of them, beside where its database is.
    pub(crate) fn bus(&self) -> Option<(&'static str, &str)> {
        self.broker.as_ref().map(|broker| (nats::URL, broker.url()))
    }

    /// Kills the broker, where there is one.
    pub(crate) fn kill_broker(&mut self) -> bool {
        self.broker.as_mut().map(Broker::kill).is_some()
    }

    /// How many events orders has told; none before it has been started.
    pub(crate) async fn events(&mut self) -> i64 {
        self.number("orders", "SELECT mark AS n FROM freehold_head").await.unwrap_or(0)
    }

    /// Waits until orders has told of so many more events; answers how many there are.
    pub(crate) async fn reach(&mut self, more: i64) -> i64 {
        let there =
            eventually("events", PATIENCE, async || Some(self.events().await).filter(|there| *there > 0));
        let moment = there.await + more;
        eventually("the moment", PATIENCE, async || (self.events().await >= moment).then_some(moment)).await
    }

    /// The number `n` that a query answers; `None` where there is no such database, table or row yet.
    pub(crate) async fn number(&mut self, service: &'static str, sql: &'static str) -> Option<i64> {
        if !self.open.contains_key(service) {
            let url = self.databases().reader_url(service);
            self.open.insert(service, ReadOnly::open(&url).await.ok()?);
        }
        let read = self.open[service].read(Duration::from_secs(60)).await;
        read.ok()?.only(sql, Vec::new()).await.ok()??.get("n").ok()
    }

    /// Changes the database of a service that may be running, between its commits: by one text or the other.
    pub(crate) async fn change(&self, service: &str, on_sqlite: &str, on_postgres: &str) {
        let url = self.databases().url(service);
        match url.strip_prefix("sqlite:") {
            Some(file) => Rows::damage(Path::new(file), on_sqlite),
            None => freehold_testkit::engines::change(&url, on_postgres).await,
        }
    }

    fn databases(&self) -> Databases {
        Databases::of(&self.folder.join("data")).expect("the databases are said")
    }
}
