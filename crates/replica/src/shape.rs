//! The shape of a copy's table: its DDL and its statements, as texts made once from the declared columns.
//!
//! The words are those of migrations, so they suit both engines. **Invariant:** a name in these texts comes from the
//! contract, which allows identifiers only, and is quoted all the same.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use freehold_store::Engine;

use crate::copied::{Column, ColumnKind, Copied};

/// The statements on one table of one copy.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Writes the columns, the version; `$1..` in their order. A lower version changes nothing.
    pub(crate) put: &'static str,
    /// Writes a tombstone: key, version.
    pub(crate) delete: &'static str,
    /// Moves the version of a key whose columns stay: key, version. A key that is new has no value yet.
    pub(crate) advance: &'static str,
    /// The version of a key.
    pub(crate) version: &'static str,
    /// The columns and the version of a key that has a value.
    pub(crate) get: &'static str,
}

/// Which of a copy's two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The one that is read.
    Main,
    /// The next one, until a snapshot is complete.
    Next,
}

impl Place {
    /// The name of the table.
    pub(crate) fn table<T: Copied>(self) -> String {
        match self {
            Self::Main => T::TABLE.to_owned(),
            Self::Next => format!("{}_next", T::TABLE),
        }
    }
}

/// The statements on a table; made once per process and kept.
pub(crate) fn statements<T: Copied>(place: Place) -> &'static Statements {
    static MADE: Mutex<Option<HashMap<(TypeId, Place), &'static Statements>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.get_or_insert_default().entry((TypeId::of::<T>(), place)).or_insert_with(|| {
        let texts = texts(&place.table::<T>(), T::KEY, T::COLUMNS);
        Box::leak(Box::new(texts))
    })
}

fn texts(table: &str, key: &str, columns: &[Column]) -> Statements {
    let all = list(columns.iter().map(|column| quoted(column.name)));
    let places = list((1..=columns.len()).map(|at| format!("${at}")));
    let version = format!("${}", columns.len() + 1);
    let others = || columns.iter().filter(|column| column.name != key);
    let taken: String = others().map(|column| format!("{0} = excluded.{0}, ", quoted(column.name))).collect();
    let blanked: String = others().map(|column| format!("{} = NULL, ", quoted(column.name))).collect();
    let (table, key) = (quoted(table), quoted(key));
    let stamp = "freehold_version = excluded.freehold_version";
    let stamped = format!("{stamp}, freehold_deleted = excluded.freehold_deleted");
    let newer = format!("WHERE excluded.freehold_version > {table}.freehold_version");
    let insert =
        format!("INSERT INTO {table} ({key}, freehold_version, freehold_deleted) VALUES ($1, $2, TRUE)");
    let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    Statements {
        put: kept(format!(
            "INSERT INTO {table} ({all}, freehold_version, freehold_deleted) VALUES ({places}, {version}, FALSE) \
             ON CONFLICT ({key}) DO UPDATE SET {taken}{stamped} {newer}"
        )),
        delete: kept(format!("{insert} ON CONFLICT ({key}) DO UPDATE SET {blanked}{stamped} {newer}")),
        advance: kept(format!("{insert} ON CONFLICT ({key}) DO UPDATE SET {stamp} {newer}")),
        version: kept(format!("SELECT freehold_version FROM {table} WHERE {key} = $1")),
        get: kept(format!(
            "SELECT {all}, freehold_version FROM {table} WHERE {key} = $1 AND NOT freehold_deleted"
        )),
    }
}

/// The columns as they are remembered: "id text, price_cents bigint".
pub(crate) fn described(columns: &[Column]) -> String {
    list(columns.iter().map(|column| format!("{} {}", column.name, word(column.kind))))
}

/// Makes the table. Every column but the key is NULL in a tombstone.
pub(crate) fn create(table: &str, key: &str, columns: &[Column]) -> String {
    let column = |column: &Column| {
        let constraint = if column.name == key { " PRIMARY KEY NOT NULL" } else { "" };
        format!("{} {}{constraint}, ", quoted(column.name), word(column.kind))
    };
    let declared: String = columns.iter().map(column).collect();
    format!(
        "CREATE TABLE {} ({declared}freehold_version BIGINT NOT NULL, freehold_deleted BOOLEAN NOT NULL) STRICT;",
        quoted(table)
    )
}

/// Adds the declared columns that a table described as `known` does not have yet; the others stay until the next
/// snapshot replaces the table.
pub(crate) fn widen(table: &str, known: &str, columns: &[Column]) -> String {
    let has = |name: &str| known.split(", ").any(|known| known.split(' ').next() == Some(name));
    let missing = columns.iter().filter(|column| !has(column.name));
    let add = |column: &Column| {
        format!("ALTER TABLE {} ADD COLUMN {} {};", quoted(table), quoted(column.name), word(column.kind))
    };
    missing.map(add).collect()
}

/// Refuses writes to the table by anyone but its applier.
pub(crate) fn protect(table: &str, of: &str, engine: Engine) -> String {
    match engine {
        Engine::Sqlite => ["INSERT", "UPDATE", "DELETE"].map(|verb| refuse(table, of, verb)).concat(),
        Engine::Postgres => {
            let of = of.replace('\'', "''");
            let trigger = |name: &str, verbs: &str, each: &str| {
                let (name, table) = (quoted(&format!("{table}_{name}")), quoted(table));
                format!(
                    "CREATE TRIGGER {name} BEFORE {verbs} ON {table} FOR EACH {each} \
                     EXECUTE FUNCTION freehold_only_applier('{of}');"
                )
            };
            trigger("only_applier", "INSERT OR UPDATE OR DELETE", "ROW")
                + &trigger("never_truncated", "TRUNCATE", "STATEMENT")
        }
    }
}

fn refuse(table: &str, of: &str, verb: &str) -> String {
    let name = quoted(&format!("{table}_no_{}", verb.to_lowercase()));
    format!(
        "CREATE TRIGGER {name} BEFORE {verb} ON {} WHEN NOT (SELECT applies FROM freehold_applier) \
         BEGIN SELECT RAISE(ABORT, '{table} is a copy of {of} that only its applier writes'); END;",
        quoted(table)
    )
}

/// Puts the next table in the place of the one that is read.
pub(crate) fn replace(main: &str, next: &str) -> String {
    format!("DROP TABLE {0}; ALTER TABLE {1} RENAME TO {0};", quoted(main), quoted(next))
}

/// Takes a table away that a broken-off snapshot may have left.
pub(crate) fn discard(table: &str) -> String {
    format!("DROP TABLE IF EXISTS {};", quoted(table))
}

fn word(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "TEXT",
        ColumnKind::BigInt => "BIGINT",
        ColumnKind::Boolean => "BOOLEAN",
        ColumnKind::Double => "DOUBLE PRECISION",
        ColumnKind::Blob => "BLOB",
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "id", kind: ColumnKind::Text },
        Column { name: "price_cents", kind: ColumnKind::BigInt },
    ];

    #[test]
    fn statements_guard_the_version_and_keep_tombstones() {
        let made = texts("product_copy", "id", COLUMNS);
        assert_eq!(
            made.put,
            "INSERT INTO \"product_copy\" (\"id\", \"price_cents\", freehold_version, freehold_deleted) \
             VALUES ($1, $2, $3, FALSE) ON CONFLICT (\"id\") DO UPDATE SET \"price_cents\" = excluded.\"price_cents\", \
             freehold_version = excluded.freehold_version, freehold_deleted = excluded.freehold_deleted \
             WHERE excluded.freehold_version > \"product_copy\".freehold_version"
        );
        assert!(made.delete.contains("\"price_cents\" = NULL"));
        assert!(!made.advance.contains("price_cents"));
    }

    /// R8: a new column is added to what is there.
    #[test]
    fn a_new_column_widens_the_table() {
        let sql = widen("product_copy", "id TEXT, old_name TEXT", COLUMNS);
        assert_eq!(sql, "ALTER TABLE \"product_copy\" ADD COLUMN \"price_cents\" BIGINT;");
        assert_eq!(widen("product_copy", &described(COLUMNS), COLUMNS), "");
    }
}
