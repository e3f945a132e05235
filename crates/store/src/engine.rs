//! The two engines behind one small executor: a lane is one connection in one transaction.

use std::time::Instant;

use freehold_wire::Cancellation;

use crate::dialect;
use crate::error::StoreError;
use crate::page::Page;
use crate::row::Row;
use crate::value::Value;
use crate::{postgres, sqlite};

/// What a database runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A SQLite file: the embedded default.
    Sqlite,
    /// A PostgreSQL database.
    Postgres,
}

/// One connection, owned by the unit of work or the read that runs on it.
pub(crate) enum Lane {
    Sqlite(sqlite::Lane),
    Postgres(postgres::Lane),
}

/// Where the lane of a read goes back to.
pub(crate) enum Home {
    Sqlite(sqlite::Home),
    Postgres(postgres::Home),
}

impl Engine {
    /// The engine that a database url names.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }
}

impl Lane {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Ends the statements that follow with the call that they are for, too.
    pub(crate) fn end_with(&mut self, cancellation: &Cancellation, deadline: Instant) {
        match self {
            Self::Sqlite(lane) => lane.hold_to(deadline, Some(cancellation)),
            Self::Postgres(lane) => lane.end_with(cancellation.clone()),
        }
    }

    /// Begins the snapshot that the statements of a read share, where it has not begun.
    pub(crate) fn begin_read(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(lane) => sqlite::begin_read(lane),
            // Its pool hands it out in a transaction.
            Self::Postgres(_) => Ok(()),
        }
    }

    pub(crate) async fn one(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.one(sql, &values),
            Self::Postgres(lane) => lane.one(sql, values).await,
        }
    }

    pub(crate) async fn all(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.all(sql, &values),
            Self::Postgres(lane) => lane.all(sql, values).await,
        }
    }

    pub(crate) async fn page(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        bytes: usize,
    ) -> Result<Page, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.page(sql, &values, bytes),
            Self::Postgres(lane) => lane.page(sql, values, bytes).await,
        }
    }

    pub(crate) async fn exec(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.exec(sql, &values),
            Self::Postgres(lane) => lane.exec(sql, values).await,
        }
    }

    /// Inserts rows by a text that was made for so many.
    pub(crate) async fn insert(&mut self, sql: String, values: Vec<Value>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Err(StoreError::Forbidden("rows are gathered on PostgreSQL alone".to_owned())),
            Self::Postgres(lane) => lane.insert(sql, values).await,
        }
    }

    /// Runs statements that define data, in the dialect of migrations.
    pub(crate) async fn define(&mut self, sql: &str) -> Result<(), StoreError> {
        self.script(&dialect::translate(sql, self.engine())).await
    }

    /// Runs statements in the engine's own words.
    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(lane) => lane.script(sql),
            Self::Postgres(lane) => lane.script(sql).await,
        }
    }
}

impl Home {
    /// Ends a read.
    pub(crate) fn take_back(self, lane: Lane) {
        match (self, lane) {
            (Self::Sqlite(home), Lane::Sqlite(lane)) => home.take_back(lane),
            (Self::Postgres(home), Lane::Postgres(lane)) => home.take_back(lane),
            // A lane that is not of its home is closed.
            _ => {}
        }
    }
}
