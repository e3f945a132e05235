//! The two engines behind one small executor: a lane is one connection in one transaction.

use crate::error::StoreError;
use crate::row::Row;
use crate::sqlite;
use crate::value::Value;

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
}

impl Lane {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(crate) async fn one(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.one(sql, &values),
        }
    }

    pub(crate) async fn all(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.all(sql, &values),
        }
    }

    pub(crate) async fn exec(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.exec(sql, &values),
        }
    }

    /// Runs statements that define data, in the dialect of migrations.
    pub(crate) async fn define(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(lane) => lane.define(sql),
        }
    }
}
