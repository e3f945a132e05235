//! Connections to PostgreSQL: opened as they are needed, kept when their transaction has ended cleanly.
//!
//! A pool of its own instead of sqlx's: it knows each connection's backend, so that a statement can be cancelled, and a
//! connection whose state is in doubt is closed, never reused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::errors;
use crate::error::StoreError;

/// How long a request to cancel may take.
const CANCEL_BUDGET: Duration = Duration::from_secs(1);

/// A connection and the server process behind it.
pub(super) struct Link {
    pub(super) connection: PgConnection,
    pub(super) backend: i32,
}

/// A bounded number of connections. Cloning shares it.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) server: Arc<PgConnectOptions>,
    idle: Arc<Mutex<Vec<Link>>>,
    places: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(server: Arc<PgConnectOptions>, most: usize) -> Self {
        Self { server, idle: Arc::default(), places: Arc::new(Semaphore::new(most)) }
    }

    /// A place among the connections, at once or before the deadline.
    pub(super) async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = self.places.clone().acquire_owned();
        match tokio::time::timeout_at(deadline.into(), place).await {
            Ok(place) => place.map_err(|_| StoreError::Closed),
            Err(_) => Err(StoreError::Busy("all connections are in use")),
        }
    }

    /// A connection in a transaction that `begin` has begun. An idle one may have died meanwhile; then a new one does.
    pub(super) async fn begin(&self, begin: &str, deadline: Instant) -> Result<Link, StoreError> {
        let beginning = async {
            while let Some(mut link) = self.pop() {
                if link.script(begin).await.is_ok() {
                    return Ok(link);
                }
            }
            let mut link = Link::open(&self.server).await?;
            link.script(begin).await?;
            Ok(link)
        };
        let begun = tokio::time::timeout_at(deadline.into(), beginning).await;
        begun.unwrap_or(Err(StoreError::DeadlineExceeded))
    }

    /// Takes back a connection that is in no transaction.
    pub(super) fn give_back(&self, link: Link) {
        if !self.places.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        }
    }

    /// Ends what a backend is doing. It does not matter whether that succeeds: a statement that nobody waits for ends
    /// by its own timeout.
    pub(super) async fn cancel(&self, backend: i32) {
        let cancelling = async {
            let mut link = Link::open(&self.server).await?;
            let asked = sqlx::query("SELECT pg_cancel_backend($1)").bind(backend);
            asked.execute(&mut link.connection).await.map_err(errors::of_statement)?;
            link.close().await;
            Ok::<_, StoreError>(())
        };
        if !matches!(tokio::time::timeout(CANCEL_BUDGET, cancelling).await, Ok(Ok(()))) {
            tracing::warn!(backend, "a statement past its deadline could not be cancelled");
        }
    }

    /// Refuses further use and closes what is idle.
    pub(super) async fn close(&self) {
        self.places.close();
        while let Some(link) = self.pop() {
            link.close().await;
        }
    }

    fn pop(&self) -> Option<Link> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Link {
    pub(super) async fn open(server: &PgConnectOptions) -> Result<Self, StoreError> {
        let mut connection = server.connect().await.map_err(errors::of_statement)?;
        let row = sqlx::query("SELECT pg_backend_pid()").fetch_one(&mut connection).await;
        let backend = row.and_then(|row| row.try_get(0)).map_err(errors::of_statement)?;
        Ok(Self { connection, backend })
    }

    /// Runs statements without parameters.
    pub(super) async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        script.execute(&mut self.connection).await.map(drop).map_err(errors::of_statement)
    }

    /// Exports the snapshot of the transaction that it is in, for another connection to share.
    pub(super) async fn export(&mut self) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT pg_export_snapshot()").fetch_one(&mut self.connection).await;
        row.and_then(|row| row.try_get(0)).map_err(errors::of_statement)
    }

    /// Ends another backend of this role, where it is still there.
    pub(super) async fn terminate(&mut self, backend: i32) -> Result<(), StoreError> {
        let ended = sqlx::query("SELECT pg_terminate_backend($1)").bind(backend);
        ended.execute(&mut self.connection).await.map(drop).map_err(errors::of_statement)
    }

    pub(super) async fn close(self) {
        // The server notices by itself when saying goodbye fails.
        let _ = self.connection.close().await;
    }
}
