//! One SQLite connection in one transaction: statements in, rows out, on the calling thread.

use std::sync::Arc;
use std::time::Instant;

use freehold_wire::Cancellation;
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
        let done = self.shapes.with(sql, &mut statement, |shape, statement| {
            shape.bind(statement, values)?;
            let changed = statement.raw_execute().map_err(errors::of_statement)?;
            Ok(changed as u64)
        });
        done.map_err(|error| self.cut(error))
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

    /// Holds the statements that follow to a deadline, and to a caller who waits for them.
    pub(crate) fn hold_to(&self, deadline: Instant, cancellation: Option<&Cancellation>) {
        self.guard.set_deadline(Some(deadline));
        self.guard.set_cancellation(cancellation.cloned());
    }

    /// Lets the store's own words take the time that they take.
    pub(super) fn release(&self) {
        self.guard.set_deadline(None);
        self.guard.set_cancellation(None);
    }

    /// What a statement that failed says, where it was cut for another reason than its time.
    fn cut(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::DeadlineExceeded if self.guard.is_cancelled() => StoreError::Cancelled,
            error => error,
        }
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
        let done = self.shapes.with(sql, &mut statement, |shape, statement| {
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
        });
        done.map_err(|error| self.cut(error))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// C6: whoever waits for a row goes away after the first. The planted bug is a progress handler that looks at the clock
    /// alone.
    #[test]
    fn a_statement_is_cut_while_it_runs_when_its_caller_goes_away() {
        const FOR_EVER: &str =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        let lane = Lane::new(Connection::open_in_memory().unwrap()).unwrap();
        let cancellation = Cancellation::default();
        lane.hold_to(Instant::now() + Duration::from_secs(60), Some(&cancellation));
        let cut = lane.query(FOR_EVER, &[], |_| {
            cancellation.cancel();
            true
        });
        assert!(matches!(cut, Err(StoreError::Cancelled)), "{cut:?}");
        lane.release();
        assert!(lane.one("SELECT 1 AS one", &[]).unwrap().is_some());
    }
}
