//! What a statement's text says of its parameters and columns, worked out once per connection.
//!
//! SQLite numbers the parameters `$1`, `$2` by where they first occur, not by their names; and it runs only the first
//! statement of a text. A text lives as long as the program, so its address stands for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Statement;

use super::errors;
use crate::dialect;
use crate::error::StoreError;
use crate::value::Value;

/// The shapes of a connection's statements.
#[derive(Default)]
pub(super) struct Shapes(RefCell<HashMap<(usize, usize), Shape>>);

/// The shape of one statement.
#[derive(Default)]
pub(super) struct Shape {
    /// Per parameter of SQLite's, which value it takes.
    takes: Vec<usize>,
    /// How many values it wants.
    wants: usize,
    columns: Arc<[Box<str>]>,
}

impl Shapes {
    /// Does something with the shape of a statement.
    pub(super) fn with<T>(
        &self,
        sql: &'static str,
        statement: &mut Statement<'_>,
        run: impl FnOnce(&mut Shape, &mut Statement<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut shapes = self.0.borrow_mut();
        let key = (sql.as_ptr().addr(), sql.len());
        let shape = match shapes.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(Shape::of(sql, statement)?),
        };
        run(shape, statement)
    }
}

impl Shape {
    fn of(sql: &str, statement: &Statement<'_>) -> Result<Self, StoreError> {
        if dialect::is_many(sql) {
            return Err(StoreError::Forbidden("it is more than one statement".to_owned()));
        }
        let ordinal = |index| {
            let name = statement.parameter_name(index).and_then(|name| name.strip_prefix('$'));
            let number = name.and_then(|digits| digits.parse::<usize>().ok());
            let at = number.and_then(|number| number.checked_sub(1));
            at.ok_or_else(|| StoreError::Forbidden("its parameters are not $1, $2, ..".to_owned()))
        };
        let takes = (1..=statement.parameter_count()).map(ordinal).collect::<Result<Vec<_>, _>>()?;
        let wants = takes.iter().max().map_or(0, |at| at + 1);
        Ok(Self { takes, wants, columns: Arc::default() })
    }

    /// Gives each parameter its value.
    pub(super) fn bind(&self, statement: &mut Statement<'_>, values: &[Value]) -> Result<(), StoreError> {
        let Self { takes, wants, .. } = self;
        if values.len() != *wants {
            return Err(StoreError::wrong_values(*wants, values.len()));
        }
        for (at, index) in takes.iter().zip(1..) {
            statement.raw_bind_parameter(index, &values[*at]).map_err(errors::of_statement)?;
        }
        Ok(())
    }

    /// The names of a running statement's columns; a changed schema may have changed them.
    pub(super) fn columns(&mut self, statement: &Statement<'_>) -> Arc<[Box<str>]> {
        let names = || (0..statement.column_count()).map(|at| statement.column_name(at).unwrap_or_default());
        if !self.columns.iter().map(Box::as_ref).eq(names()) {
            self.columns = names().map(Box::from).collect();
        }
        self.columns.clone()
    }
}
