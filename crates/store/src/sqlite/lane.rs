//! One SQLite connection in one transaction: statements in, rows out, on the calling thread.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::errors;
use super::guard::Guard;
use super::shape::Shapes;
use crate::error::StoreError;
use crate::page::{Page, Room};
use crate::row::Row;
use crate::value::Value;

/// How many compiled statements a connection keeps.
const STATEMENTS: usize = 256;

/// A connection under guard.
pub(crate) struct Lane {
    connection: Connection,
    guard: Guard,
    shapes: Shapes,
}

impl Lane {
    pub(super) fn new(connection: Connection) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let guard = Guard::install(&connection).map_err(errors::of_statement)?;
        Ok(Self { connection, guard, shapes: Shapes::default() })
    }

    pub(crate) fn one(&self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        let mut first = None;
        self.query(sql, values, |row| {
            first = Some(row);
            false
        })?;
        Ok(first)
    }

    pub(crate) fn all(&self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.query(sql, values, |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    pub(crate) fn page(&self, sql: &'static str, values: &[Value], bytes: usize) -> Result<Page, StoreError> {
        let mut room = Room::of(bytes);
        let mut page = Page { rows: Vec::new(), cut: false };
        self.query(sql, values, |row| {
            page.cut = !room.fits(&row);
            if !page.cut {
                page.rows.push(row);
            }
            !page.cut
        })?;
        Ok(page)
    }

    pub(crate) fn exec(&self, sql: &'static str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(errors::of_statement)?;
        self.shapes.with(sql, &mut statement, |shape, statement| {
            shape.bind(statement, values)?;
            let changed = statement.raw_execute().map_err(errors::of_statement)?;
            Ok(changed as u64)
        })
    }

    /// The id of the row that was inserted last.
    pub(crate) fn last_id(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// Runs many statements without parameters.
    pub(crate) fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(errors::of_statement)
    }

    /// Runs the store's own words: BEGIN, COMMIT, SAVEPOINT and the like.
    pub(super) fn control(&self, words: &'static str) -> rusqlite::Result<()> {
        self.guard.own_words(|| self.connection.prepare_cached(words)?.raw_execute().map(drop))
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        self.guard.set_deadline(deadline);
    }

    pub(super) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Changes a setting of the connection, to plant a fault.
    #[cfg(test)]
    pub(super) fn set_for_tests(&self, pragma: &str) {
        self.guard.own_words(|| self.connection.execute_batch(pragma)).unwrap();
    }

    /// Gives the rows of a query to `take`, one by one, for as long as it wants more.
    fn query(
        &self,
        sql: &'static str,
        values: &[Value],
        mut take: impl FnMut(Row) -> bool,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(errors::of_statement)?;
        self.shapes.with(sql, &mut statement, |shape, statement| {
            shape.bind(statement, values)?;
            let mut found = statement.raw_query();
            let mut columns = None;
            while let Some(row) = found.next().map_err(errors::of_statement)? {
                let columns = columns.get_or_insert_with(|| shape.columns(row.as_ref()));
                if !take(read(row, columns)?) {
                    break;
                }
            }
            Ok(())
        })
    }
}

fn read(row: &rusqlite::Row<'_>, columns: &Arc<[Box<str>]>) -> Result<Row, StoreError> {
    let cell = |index: usize| match row.get_ref(index).map_err(errors::of_statement)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(number) => Ok(Some(Value::Integer(number))),
        ValueRef::Real(number) => Ok(Some(Value::Double(number))),
        ValueRef::Blob(bytes) => Ok(Some(Value::Blob(bytes.to_vec()))),
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(Some(Value::Text(text.to_owned()))),
            Err(_) => Err(StoreError::Decode {
                column: columns[index].to_string(),
                problem: "is no UTF-8".to_owned(),
            }),
        },
    };
    let cells = (0..columns.len()).map(cell).collect::<Result<_, _>>()?;
    Ok(Row::new(columns.clone(), cells))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_) => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Boolean(flag) => ValueRef::Integer(i64::from(*flag)),
            Self::Double(number) => ValueRef::Real(*number),
        }))
    }
}
