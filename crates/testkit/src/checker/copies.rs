//! A copy of an entity against its owner's events: each row is what the owner shared at that version, never a mix.
//!
//! The owner's bytes are read by the descriptor of the copy's own message: its fields are the columns.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, MessageDescriptor, Value};
use rusqlite::types::Value as Cell;

use super::{Rows, Told};

/// A row of a copy.
struct Copied {
    key: String,
    version: i64,
    deleted: bool,
    cells: BTreeMap<String, Cell>,
}

/// What is wrong with the copy in `table`, whose rows have the fields of `shape` and are keyed by `key`, of the entity
/// `of`, whose owner has `told` all of its events.
#[must_use]
pub fn copies(
    consumer: &Rows,
    table: &str,
    key: &str,
    shape: &MessageDescriptor,
    told: &[Told],
) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows(consumer, table, key) {
        let of_key = told.iter().filter(|event| event.stream.1 == row.key);
        let (mut last, mut change) = (0, None);
        for event in of_key {
            last = event.version;
            if event.version <= row.version && (event.kind == event.stream.0 || event.deleted) {
                change = Some(event);
            }
        }
        if row.version > last {
            wrong.push(format!(
                "{table} {} is at v{}, and v{last} is the last there is",
                row.key, row.version
            ));
        }
        let Some(change) = change else {
            wrong.push(format!("{table} {} is a copy of nothing", row.key));
            continue;
        };
        if change.deleted != row.deleted {
            wrong.push(format!("{table} {} v{}: deleted is {}", row.key, row.version, row.deleted));
        }
        // What was erased since says nothing any more.
        if let (false, Some(data)) = (change.deleted, &change.data) {
            wrong.extend(differences(table, &row, shape, data));
        }
    }
    wrong
}

fn differences(table: &str, row: &Copied, shape: &MessageDescriptor, data: &[u8]) -> Vec<String> {
    let Ok(message) = DynamicMessage::decode(shape.clone(), data) else {
        return vec![format!("{table} {} v{}: the owner's bytes are no {shape:?}", row.key, row.version)];
    };
    let mut wrong = Vec::new();
    for field in shape.fields() {
        let Some(owners) = cell(&message.get_field(&field)) else { continue };
        let copied = row.cells.get(field.name());
        if copied != Some(&owners) {
            wrong.push(format!(
                "{table} {} v{}: {} is {copied:?}, and {owners:?} was shared",
                row.key,
                row.version,
                field.name()
            ));
        }
    }
    wrong
}

/// A value as a cell; `None` for one that is kept in a way of its own.
fn cell(value: &Value) -> Option<Cell> {
    Some(match value {
        Value::Bool(flag) => Cell::Integer(i64::from(*flag)),
        Value::I32(number) | Value::EnumNumber(number) => Cell::Integer(i64::from(*number)),
        Value::I64(number) => Cell::Integer(*number),
        Value::U32(number) => Cell::Integer(i64::from(*number)),
        Value::String(text) => Cell::Text(text.clone()),
        _ => return None,
    })
}

fn rows(consumer: &Rows, table: &str, key: &str) -> Vec<Copied> {
    consumer.all(&format!("SELECT * FROM {table}"), |row| {
        let names = row.as_ref().column_names().into_iter().map(str::to_owned).enumerate();
        let cells: Result<_, rusqlite::Error> = names.map(|(at, name)| Ok((name, row.get(at)?))).collect();
        Ok(Copied {
            key: row.get(key)?,
            version: row.get("freehold_version")?,
            deleted: row.get("freehold_deleted")?,
            cells: cells?,
        })
    })
}
