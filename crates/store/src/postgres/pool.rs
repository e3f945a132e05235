//! Connections to PostgreSQL: opened as they are needed, kept when their transaction has ended cleanly.
//!
//! A pool of its own instead of sqlx's: it knows each connection's backend, so that a statement can be cancelled, and a
//! connection whose state is in doubt is closed, never reused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::errors;
use crate::error::StoreError;

macro_rules! micros {
    ($time:literal) => {
        concat!("CAST(extract(epoch FROM ", $time, ") * 1000000 AS BIGINT)")
    };
}

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

/// Which server process a connection is of, on which start of which server. A process's number alone is somebody else's
/// once that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    backend: i32,
    /// When the process began, in microseconds since 1970.
    began: i64,
    /// When the server did.
    server: i64,
}

impl Seat {
    /// Whether the server is still the one that it was: not started again, and not another that took its place.
    pub(super) fn is_of_server_of(&self, before: &Self) -> bool {
        self.server == before.server
    }

    #[cfg(test)]
    pub(super) fn on_another_server(self) -> Self {
        Self { began: self.began - 1, server: self.server - 1, ..self }
    }
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

    /// Where the connection is.
    pub(super) async fn seat(&mut self) -> Result<Seat, StoreError> {
        const SEAT: &str = concat!(
            "SELECT pid, ",
            micros!("backend_start"),
            ", ",
            micros!("pg_postmaster_start_time()"),
            " FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        );
        let row = sqlx::query(SEAT).fetch_one(&mut self.connection).await;
        let seat = |row: PgRow| {
            Ok(Seat { backend: row.try_get(0)?, began: row.try_get(1)?, server: row.try_get(2)? })
        };
        row.and_then(seat).map_err(errors::of_statement)
    }

    /// Ends another backend of this role, where it is still there.
    pub(super) async fn terminate(&mut self, seat: &Seat) -> Result<(), StoreError> {
        const END: &str = concat!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND $2 = ",
            micros!("backend_start")
        );
        let ended = sqlx::query(END).bind(seat.backend).bind(seat.began);
        ended.execute(&mut self.connection).await.map(drop).map_err(errors::of_statement)
    }

    pub(super) async fn close(self) {
        // The server notices by itself when saying goodbye fails.
        let _ = self.connection.close().await;
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    /// A server that was started again gives out the same numbers. The planted bug, to go by the number, ends the stranger.
    #[tokio::test]
    async fn a_backend_that_only_has_the_number_of_another_is_left_alone() {
        let Ok(url) = std::env::var("FREEHOLD_TEST_POSTGRES_URL") else { return };
        let server = PgConnectOptions::from_str(&url).unwrap();
        let (mut stranger, mut link) =
            (Link::open(&server).await.unwrap(), Link::open(&server).await.unwrap());
        let seat = stranger.seat().await.unwrap();
        link.terminate(&seat.on_another_server()).await.unwrap();
        stranger.script("SELECT 1").await.unwrap();
        assert!(link.seat().await.unwrap().is_of_server_of(&seat));
        link.terminate(&seat).await.unwrap();
        let ended = async { while stranger.script("SELECT 1").await.is_ok() {} };
        tokio::time::timeout(std::time::Duration::from_secs(60), ended).await.unwrap();
    }
}
