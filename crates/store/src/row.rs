//! What a query gives: a row whose columns are read by name into Rust types.
//!
//! **Invariant:** a column that is missing, NULL where none is expected, or of another type is a typed error that names
//! the column; nothing is converted silently.

use std::sync::Arc;

use crate::error::StoreError;
use crate::value::Value;

/// A row of a query, independent of the statement that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: Arc<[Box<str>]>,
    cells: Vec<Option<Value>>,
}

/// A Rust type that a column can be read into.
pub trait FromCell: Sized {
    /// What the column must hold, for the error.
    const EXPECTED: &'static str;

    /// The cell as this type; `None` where it holds another one.
    fn from_cell(cell: Option<Value>) -> Option<Self>;
}

impl Row {
    pub(crate) fn new(columns: Arc<[Box<str>]>, cells: Vec<Option<Value>>) -> Self {
        Self { columns, cells }
    }

    /// How large it is: its texts and blobs, and what a number takes for each cell.
    pub(crate) fn bytes(&self) -> usize {
        let cell = |cell: &Option<Value>| match cell {
            Some(Value::Text(text)) => text.len(),
            Some(Value::Blob(bytes)) => bytes.len(),
            _ => 0,
        };
        self.cells.iter().map(|of| cell(of) + size_of::<i64>()).sum()
    }

    /// The column of that name.
    ///
    /// # Errors
    /// [`StoreError::Decode`] where the query has no such column or it holds another type.
    pub fn get<T: FromCell>(&self, column: &str) -> Result<T, StoreError> {
        read(self.cells[self.index(column)?].clone(), column)
    }

    /// The same of a row that is taken apart: spares the copy of a text or a blob, and leaves NULL behind.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn take<T: FromCell>(&mut self, column: &str) -> Result<T, StoreError> {
        let index = self.index(column)?;
        read(self.cells[index].take(), column)
    }

    fn index(&self, column: &str) -> Result<usize, StoreError> {
        let index = self.columns.iter().position(|name| **name == *column);
        index.ok_or_else(|| StoreError::decode(column, "the query has no such column"))
    }
}

fn read<T: FromCell>(cell: Option<Value>, column: &str) -> Result<T, StoreError> {
    let found = describe(cell.as_ref());
    let wrong = || StoreError::decode(column, format!("is {found}, not {}", T::EXPECTED));
    T::from_cell(cell).ok_or_else(wrong)
}

macro_rules! from_cell {
    ($($target:ty, $expected:literal, $($pattern:pat => $value:expr),+;)*) => {$(
        impl FromCell for $target {
            const EXPECTED: &'static str = $expected;

            fn from_cell(cell: Option<Value>) -> Option<Self> {
                match cell? {
                    $($pattern => Some($value),)+
                    _ => None,
                }
            }
        }
    )*};
}

from_cell! {
    i64, "an integer", Value::Integer(number) => number;
    String, "text", Value::Text(text) => text;
    Vec<u8>, "a blob", Value::Blob(bytes) => bytes;
    // SQLite keeps a boolean as 0 or 1.
    bool, "a boolean", Value::Boolean(flag) => flag, Value::Integer(0) => false, Value::Integer(1) => true;
    f64, "a double", Value::Double(number) => number;
}

impl FromCell for i32 {
    const EXPECTED: &'static str = "an integer of 32 bits";

    fn from_cell(cell: Option<Value>) -> Option<Self> {
        i64::from_cell(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl FromCell for u32 {
    const EXPECTED: &'static str = "an integer of 32 bits without a sign";

    fn from_cell(cell: Option<Value>) -> Option<Self> {
        i64::from_cell(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl<T: FromCell> FromCell for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_cell(cell: Option<Value>) -> Option<Self> {
        match cell {
            None => Some(None),
            some => T::from_cell(some).map(Some),
        }
    }
}

fn describe(cell: Option<&Value>) -> &'static str {
    match cell {
        None | Some(Value::Null(_)) => "NULL",
        Some(Value::Integer(_)) => "an integer",
        Some(Value::Text(_)) => "text",
        Some(Value::Blob(_)) => "a blob",
        Some(Value::Boolean(_)) => "a boolean",
        Some(Value::Double(_)) => "a double",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::new(["id".into(), "name".into()].into(), vec![Some(Value::Integer(7)), None])
    }

    #[test]
    fn a_column_is_read_by_its_name() {
        assert_eq!(row().get::<i64>("id").unwrap(), 7);
        assert_eq!(row().get::<Option<String>>("name").unwrap(), None);
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut row = row();
        assert_eq!(row.take::<i64>("id").unwrap(), 7);
        assert_eq!(row.take::<Option<i64>>("id").unwrap(), None);
    }

    #[test]
    fn a_wrong_column_is_named() {
        let message = |error: StoreError| error.to_string();
        assert_eq!(message(row().get::<String>("id").unwrap_err()), "column `id` is an integer, not text");
        assert_eq!(message(row().get::<String>("name").unwrap_err()), "column `name` is NULL, not text");
        assert_eq!(message(row().get::<i64>("x").unwrap_err()), "column `x` the query has no such column");
        assert!(row().get::<bool>("id").is_err(), "7 is no boolean");
    }
}
