//! The executor: one statement in, rows out, on either engine. A read and a unit of work both are one, so a query
//! function takes `&mut impl Queries` and serves both.

use crate::error::StoreError;
use crate::row::Row;
use crate::value::Value;

/// Runs statements. Parameters are `$1`, `$2`, ..; the same text runs on SQLite and PostgreSQL.
///
/// In a unit of work a statement that fails forbids the commit, whatever the handler makes of the error.
pub trait Queries: Send {
    /// The first row of a query, if it has one.
    ///
    /// # Errors
    /// [`StoreError`], of the statement or of the database.
    fn one(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Option<Row>, StoreError>> + Send;

    /// All rows of a query. The caller bounds them, by LIMIT or by what it asks for.
    ///
    /// # Errors
    /// [`StoreError`], of the statement or of the database.
    fn all(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Runs a statement that gives no rows; answers how many rows it changed.
    ///
    /// # Errors
    /// [`StoreError`], of the statement or of the database; [`StoreError::Forbidden`] in a read.
    fn exec(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
