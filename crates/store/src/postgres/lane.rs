//! One PostgreSQL connection in one transaction: statements in, rows out, each cut at the deadline.
//!
//! **Invariant:** a statement that was begun is waited for, cancelled, or forbids the commit; never forgotten.

use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::Cancellation;
use futures_util::TryStreamExt;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;

use super::flight::{ABANDONED, Flight};
use super::pool::{Link, Pool};
use super::{errors, values};
use crate::dialect;
use crate::error::StoreError;
use crate::page::{Page, Room};
use crate::row::Row;
use crate::value::Value;

/// How long a cancelled statement may take to say so, before its connection is given up.
const CANCEL_GRACE: Duration = Duration::from_secs(1);
/// How often a statement that takes long asks whether anybody still waits for it.
const LOOK: Duration = Duration::from_millis(25);
/// How long the server may take to answer a COMMIT or a ROLLBACK.
const END_BUDGET: Duration = Duration::from_secs(10);

/// A connection in a transaction.
pub(crate) struct Lane {
    link: Link,
    cutter: Cutter,
}

/// Holds the statements of a lane to its deadline.
struct Cutter {
    pool: Pool,
    deadline: Instant,
    cancellation: Cancellation,
    flight: Flight,
    /// The connection's state is unknown: it is closed instead of kept.
    in_doubt: bool,
}

impl Lane {
    pub(super) fn new(link: Link, pool: Pool, deadline: Instant) -> Self {
        let (cancellation, flight) = (Cancellation::default(), Flight::default());
        Self { link, cutter: Cutter { pool, deadline, cancellation, flight, in_doubt: false } }
    }

    /// Cuts the statements that follow when this says so, too.
    pub(crate) fn end_with(&mut self, cancellation: Cancellation) {
        self.cutter.cancellation = cancellation;
    }

    pub(super) fn flight(&self) -> Flight {
        self.cutter.flight.clone()
    }

    pub(super) fn into_link(self) -> Link {
        self.link
    }

    pub(crate) async fn one(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        let Self { link, cutter } = self;
        let query = query(sql, values)?;
        let found = cutter.run(link.backend, query.fetch_optional(&mut link.connection)).await?;
        Ok(values::rows(found.as_slice())?.pop())
    }

    pub(crate) async fn all(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let Self { link, cutter } = self;
        let query = query(sql, values)?;
        let found = cutter.run(link.backend, query.fetch_all(&mut link.connection)).await?;
        values::rows(&found)
    }

    /// What lies behind the page is received and dropped before the next statement.
    pub(crate) async fn page(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        bytes: usize,
    ) -> Result<Page, StoreError> {
        let Self { link, cutter } = self;
        let mut found = query(sql, values)?.fetch(&mut link.connection);
        let (mut rows, mut room) = (Vec::new(), Room::of(bytes));
        while let Some(row) = cutter.run(link.backend, found.try_next()).await? {
            let Some(row) = values::rows(&[row])?.pop().filter(|row| room.fits(row)) else {
                return Ok(Page { rows, cut: true });
            };
            rows.push(row);
        }
        Ok(Page { rows, cut: false })
    }

    pub(crate) async fn exec(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        let Self { link, cutter } = self;
        let query = query(sql, values)?;
        let done = cutter.run(link.backend, query.execute(&mut link.connection)).await?;
        Ok(done.rows_affected())
    }

    /// Inserts rows by a text that was made for so many of them.
    pub(crate) async fn insert(&mut self, sql: String, values: Vec<Value>) -> Result<(), StoreError> {
        let Self { link, cutter } = self;
        let query = sqlx::query_with(sqlx::AssertSqlSafe(sql), values::arguments(values)?);
        cutter.run(link.backend, query.execute(&mut link.connection)).await.map(drop)
    }

    /// Runs many statements without parameters.
    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        permit(sql)?;
        let Self { link, cutter } = self;
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        cutter.run(link.backend, script.execute(&mut link.connection)).await.map(drop)
    }

    /// Commits; the connection is kept where the server has confirmed it.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let late = || StoreError::CommitUnknown(Arc::new(std::io::Error::from(ErrorKind::TimedOut)));
        let commit = sqlx::raw_sql("COMMIT").execute(&mut self.link.connection);
        let ended = tokio::time::timeout(END_BUDGET, commit).await.map_err(|_| late())?;
        ended.map_err(errors::of_commit)?;
        self.cutter.pool.give_back(self.link);
        Ok(())
    }

    /// Rolls back; a connection that cannot is closed, which rolls back too.
    pub(super) async fn roll_back(mut self) {
        let Cutter { pool, flight, in_doubt, .. } = self.cutter;
        if in_doubt {
            return;
        }
        if flight.is(ABANDONED) {
            pool.cancel(self.link.backend).await;
        }
        if let Ok(Ok(())) = tokio::time::timeout(END_BUDGET, self.link.script("ROLLBACK")).await {
            pool.give_back(self.link);
        }
    }
}

impl Cutter {
    async fn run<T>(
        &mut self,
        backend: i32,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let landing = self.flight.take_off();
        let mut statement = pin!(statement);
        let outcome = match self.awaited(statement.as_mut()).await {
            Ok(done) => done.map_err(errors::of_statement),
            Err(cut) => {
                self.pool.cancel(backend).await;
                let said_so = tokio::time::timeout(CANCEL_GRACE, statement).await;
                self.in_doubt = said_so.is_err();
                Err(cut)
            }
        };
        landing.landed();
        outcome
    }

    /// What a statement came to, or why it is cut.
    async fn awaited<T>(
        &self,
        mut statement: Pin<&mut impl Future<Output = Result<T, sqlx::Error>>>,
    ) -> Result<Result<T, sqlx::Error>, StoreError> {
        loop {
            let until = self.deadline.min(Instant::now() + LOOK);
            match tokio::time::timeout_at(until.into(), statement.as_mut()).await {
                Ok(done) => return Ok(done),
                Err(_) if self.cancellation.is_cancelled() => return Err(StoreError::Cancelled),
                Err(_) if Instant::now() >= self.deadline => return Err(StoreError::DeadlineExceeded),
                Err(_) => {}
            }
        }
    }
}

fn query(
    sql: &'static str,
    values: Vec<Value>,
) -> Result<sqlx::query::Query<'static, Postgres, PgArguments>, StoreError> {
    permit(sql)?;
    let wants = dialect::wants(sql);
    if values.len() != wants {
        return Err(StoreError::wrong_values(wants, values.len()));
    }
    Ok(sqlx::query_with(sql, values::arguments(values)?))
}

/// PostgreSQL has nothing that asks before it compiles a statement, so its first word has to tell.
fn permit(sql: &str) -> Result<(), StoreError> {
    let refused =
        |word: &str| StoreError::Forbidden(format!("{word} controls transactions or changes settings"));
    dialect::control_word(sql).map_or(Ok(()), |word| Err(refused(word)))
}
