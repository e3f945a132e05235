//! A database of its own for each test, on each engine.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use freehold_store::{OpenError, Options, Store};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};
use tempfile::TempDir;

use crate::sample;

/// Where a PostgreSQL server for tests is; one that is thrown away with them. Each test has a schema of its own there.
const SERVER: &str = "FREEHOLD_TEST_POSTGRES_URL";

/// Makes a test per engine of each case, `async fn(database: Database)`.
macro_rules! on_each_engine {
    ($($case:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::engines::Database::sqlite()).await;
            }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(database) = $crate::engines::Database::postgres().await {
                    super::$case(database).await;
                }
            }
        )*}
    };
}

/// Makes a test of each case, on PostgreSQL.
macro_rules! on_postgres {
    ($($case:ident),* $(,)?) => {
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(database) = $crate::engines::Database::postgres().await {
                    super::$case(database).await;
                }
            }
        )*}
    };
}

/// An empty database that goes with the test.
pub(crate) struct Database {
    pub(crate) url: String,
    place: Place,
}

enum Place {
    Folder(#[expect(dead_code, reason = "held until the test ends")] TempDir),
    Server { url: String, name: String },
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("orders.db").display());
        Self { url, place: Place::Folder(folder) }
    }

    /// `None` where no server is named.
    pub(crate) async fn postgres() -> Option<Self> {
        let server = server()?;
        let name = format!("freehold_test_{}", uuid::Uuid::now_v7().simple());
        admin(&server, format!("CREATE SCHEMA {name}")).await;
        let url = with_setting(&server, "search_path", &name);
        Some(Self { url, place: Place::Server { url: server, name } })
    }

    /// The file, on SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite:").unwrap())
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Server { .. })
    }

    pub(crate) fn options(&self) -> Options {
        sample::options(&self.url)
    }

    pub(crate) async fn open(&self) -> Store {
        open(self.options()).await.unwrap()
    }

    /// A connection past the store.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnectOptions::from_str(&self.url).unwrap().connect().await.unwrap()
    }
}

/// The server of this run, where there is one.
pub(crate) fn server() -> Option<String> {
    std::env::var(SERVER).ok()
}

impl Drop for Database {
    fn drop(&mut self) {
        let Place::Server { url, name } = &self.place else { return };
        let (url, drop) = (url.clone(), format!("DROP SCHEMA {name} CASCADE"));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(admin(&url, drop));
        });
        let _ = dropping.join();
    }
}

async fn admin(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
    connection.close().await.unwrap();
}

/// A server's url with a setting for the connections that are made by it.
pub(crate) fn with_setting(url: &str, setting: &str, value: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}options[{setting}]={value}")
}

/// Opens a store that nobody should have open, and waits where somebody still has: a server may take a moment to notice
/// that an owner is dead, and a test that starts a process at this instant lends it this process's files until it runs.
pub(crate) async fn open(options: Options) -> Result<Store, OpenError> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match Store::open(options.clone()).await {
            Err(OpenError::Owned(_)) if Instant::now() < deadline => tokio::task::yield_now().await,
            opened => return opened,
        }
    }
}
