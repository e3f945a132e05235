//! Values on their way to and from PostgreSQL, by the few types that a store uses.

use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, Column, Row as _, TypeInfo, ValueRef};

use super::errors;
use crate::error::{Cause, StoreError};
use crate::row::Row;
use crate::value::{Kind, Value};

/// The parameters of a statement. Their types go along, a NULL's too.
pub(super) fn arguments(values: Vec<Value>) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Blob(bytes) => arguments.add(bytes),
            Value::Boolean(flag) => arguments.add(flag),
            Value::Double(number) => arguments.add(number),
            Value::Null(Kind::Integer) => arguments.add(None::<i64>),
            Value::Null(Kind::Text) => arguments.add(None::<String>),
            Value::Null(Kind::Blob) => arguments.add(None::<Vec<u8>>),
            Value::Null(Kind::Boolean) => arguments.add(None::<bool>),
            Value::Null(Kind::Double) => arguments.add(None::<f64>),
        };
        added.map_err(|error| StoreError::Sql(Cause::from(error)))?;
    }
    Ok(arguments)
}

/// Rows of one query, which share their columns' names.
pub(super) fn rows(found: &[PgRow]) -> Result<Vec<Row>, StoreError> {
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let columns: Arc<[Box<str>]> = first.columns().iter().map(|column| column.name().into()).collect();
    let row = |row: &PgRow| {
        let cells = (0..columns.len()).map(|index| cell(row, index));
        Ok(Row::new(columns.clone(), cells.collect::<Result<_, _>>()?))
    };
    found.iter().map(row).collect()
}

fn cell(row: &PgRow, index: usize) -> Result<Option<Value>, StoreError> {
    let raw = row.try_get_raw(index).map_err(errors::of_statement)?;
    if raw.is_null() {
        return Ok(None);
    }
    let kind = raw.type_info().into_owned();
    let value = match kind.name() {
        "INT8" => row.try_get(index).map(Value::Integer),
        "INT4" => row.try_get::<i32, _>(index).map(|number| Value::Integer(number.into())),
        "INT2" => row.try_get::<i16, _>(index).map(|number| Value::Integer(number.into())),
        "TEXT" | "VARCHAR" | "NAME" => row.try_get(index).map(Value::Text),
        "BYTEA" => row.try_get(index).map(Value::Blob),
        "BOOL" => row.try_get(index).map(Value::Boolean),
        "FLOAT8" => row.try_get(index).map(Value::Double),
        other => {
            let column = row.column(index).name().to_owned();
            let problem =
                format!("is {other}, which a store does not read; cast it, as in CAST(sum(x) AS BIGINT)");
            return Err(StoreError::Decode { column, problem });
        }
    };
    value.map(Some).map_err(errors::of_statement)
}
