//! A read: one snapshot of the owner's database, taken at its first statement, ended when it is dropped.
//!
//! On SQLite its statements run on the caller's thread: a query takes microseconds, a thread hop takes more.

use std::time::Instant;

use freehold_wire::Cancellation;

use crate::engine::{Home, Lane};
use crate::error::StoreError;
use crate::page::Page;
use crate::queries::Queries;
use crate::row::Row;
use crate::value::Value;

/// A consistent view of the database: all statements see the same commits, and every commit that was acknowledged
/// before the first of them. Hold it briefly: what it sees cannot be cleaned up meanwhile.
pub struct Read {
    /// Taken out only by `drop`.
    open: Option<(Lane, Home)>,
    deadline: Instant,
    cancellation: Cancellation,
}

impl Read {
    /// A read on a lane whose snapshot is open, with the pool that wants the lane back.
    pub(crate) fn new(lane: Lane, home: Home, deadline: Instant) -> Self {
        Self { open: Some((lane, home)), deadline, cancellation: Cancellation::default() }
    }

    /// The same read for a call: it ends with it.
    pub(crate) fn ending_with(mut self, cancellation: &Cancellation) -> Self {
        if let Some((lane, _)) = &mut self.open {
            lane.end_with(cancellation, self.deadline);
        }
        self.cancellation = cancellation.clone();
        self
    }

    /// The one row of a read that asks for nothing else: a statement is a snapshot by itself, so on SQLite no
    /// transaction is begun and ended around it, which would cost about as much as the query.
    ///
    /// # Errors
    /// As [`Queries::one`].
    pub async fn only(mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        self.open_lane()?.one(sql, values).await
    }

    /// The first rows of a query, at most as many as `bytes` hold, and at least one where it has any. A row counts with
    /// its texts and blobs, and eight bytes for each column.
    ///
    /// # Errors
    /// As [`Queries::all`].
    pub async fn page(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        bytes: usize,
    ) -> Result<Page, StoreError> {
        self.lane()?.page(sql, values, bytes).await
    }

    /// The lane, its snapshot begun.
    pub(crate) fn lane(&mut self) -> Result<&mut Lane, StoreError> {
        let lane = self.open_lane()?;
        lane.begin_read()?;
        Ok(lane)
    }

    fn open_lane(&mut self) -> Result<&mut Lane, StoreError> {
        if Instant::now() >= self.deadline {
            return Err(StoreError::DeadlineExceeded);
        }
        if self.cancellation.is_cancelled() {
            return Err(StoreError::Cancelled);
        }
        self.open.as_mut().map(|(lane, _)| lane).ok_or(StoreError::Closed)
    }
}

impl Queries for Read {
    async fn one(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        self.lane()?.one(sql, values).await
    }

    async fn all(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.lane()?.all(sql, values).await
    }

    async fn exec(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        self.lane()?.exec(sql, values).await
    }
}

impl Drop for Read {
    fn drop(&mut self) {
        if let Some((lane, home)) = self.open.take() {
            home.take_back(lane);
        }
    }
}
