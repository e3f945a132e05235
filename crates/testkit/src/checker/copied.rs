//! A service's database as of one moment, in SQLite's memory: so every check is one SQL for both engines, and a check can
//! be tried on a damaged copy.
//!
//! On PostgreSQL an event has no mark of its own. Which it has is worked out here a second time, from the snapshots of the
//! owner's ticks; an event that no tick saw gets none, and is missing from the copy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection, Row};

use super::rows::{BUSY, done};

/// The tables of a file.
pub(super) fn of_file(file: &Path) -> Connection {
    let copy = done("memory", Connection::open_in_memory());
    done(file.display(), copy.busy_timeout(BUSY));
    let url = format!("file:{}?mode=ro", file.display());
    done(&url, copy.execute("ATTACH $1 AS service", [&url]));
    done(&url, copy.execute_batch("BEGIN"));
    let sql = "SELECT name FROM service.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let names: Vec<String> = {
        let mut query = done(sql, copy.prepare(sql));
        let names = done(sql, query.query_map([], |row| row.get(0)));
        names.map(|name| done(sql, name)).collect()
    };
    for name in names {
        let sql = format!("CREATE TABLE main.{name} AS SELECT * FROM service.{name}");
        done(&sql, copy.execute_batch(&sql));
    }
    done(&url, copy.execute_batch("COMMIT; DETACH service"));
    copy
}

/// The tables of a database on a server; `None` while it has none.
pub(super) async fn of_server(url: &str) -> Option<Connection> {
    let mut server = done(url, PgConnection::connect(url).await);
    done(url, server.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await);
    let copy = done("memory", Connection::open_in_memory());
    done("memory", copy.execute_batch("BEGIN"));
    let tables = tables(&mut server).await;
    for (table, columns) in &tables {
        copy_table(&mut server, &copy, table, columns).await;
    }
    if tables.contains_key("freehold_tick") {
        give_marks(&copy);
    }
    done("memory", copy.execute_batch("COMMIT"));
    done(url, server.close().await);
    tables.contains_key("freehold_store").then_some(copy)
}

/// The columns of each table, and of which type each is.
async fn tables(server: &mut PgConnection) -> BTreeMap<String, Vec<(String, String)>> {
    let sql = "SELECT c.table_name::text, c.column_name::text, c.udt_name::text FROM information_schema.columns c \
               JOIN information_schema.tables t ON t.table_name = c.table_name AND t.table_schema = c.table_schema \
               WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
               ORDER BY c.table_name, c.ordinal_position";
    let mut tables = BTreeMap::<_, Vec<_>>::new();
    for row in done(sql, server.fetch_all(sql).await) {
        tables.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
    }
    tables
}

async fn copy_table(server: &mut PgConnection, copy: &Connection, table: &str, columns: &[(String, String)]) {
    let read: Vec<String> = columns.iter().map(|(name, of)| readable(name, of)).collect();
    let sql = format!("SELECT {} FROM {table}", read.join(", "));
    let rows = done(&sql, server.fetch_all(AssertSqlSafe(sql.clone())).await);
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let places: Vec<&str> = names.iter().map(|_| "?").collect();
    done(table, copy.execute_batch(&format!("CREATE TABLE {table} ({})", names.join(", "))));
    let insert = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
    let mut insert = done(table, copy.prepare(&insert));
    for row in rows {
        let values = columns.iter().enumerate().map(|(at, (_, of))| value(&row, at, of));
        done(table, insert.execute(params_from_iter(values)));
    }
}

/// A column as one of the types that SQLite has.
fn readable(name: &str, of: &str) -> String {
    match of {
        "bytea" => name.to_owned(),
        "bool" => format!("{name}::int::int8"),
        "int2" | "int4" | "int8" => format!("{name}::int8"),
        "float4" | "float8" => format!("{name}::float8"),
        _ => format!("{name}::text"),
    }
}

fn value(row: &PgRow, at: usize, of: &str) -> Value {
    let value = match of {
        "bytea" => row.try_get::<Option<Vec<u8>>, _>(at).map(|bytes| bytes.map(Value::Blob)),
        "bool" | "int2" | "int4" | "int8" => {
            row.try_get::<Option<i64>, _>(at).map(|number| number.map(Value::Integer))
        }
        "float4" | "float8" => row.try_get::<Option<f64>, _>(at).map(|number| number.map(Value::Real)),
        _ => row.try_get::<Option<String>, _>(at).map(|text| text.map(Value::Text)),
    };
    done(at, value).unwrap_or(Value::Null)
}

/// Whose transactions a statement saw: those below `least`, and those below `next` but the ones that were `open`.
struct Snapshot {
    least: u64,
    next: u64,
    open: BTreeSet<u64>,
}

impl Snapshot {
    /// Of the text `least:next:open,open`.
    fn read(text: &str) -> Self {
        let mut parts = text.split(':');
        let mut part = || parts.next().unwrap_or_default();
        let number = |text: &str| done(text, text.parse::<u64>());
        let (least, next) = (number(part()), number(part()));
        Self { least, next, open: part().split(',').filter(|text| !text.is_empty()).map(number).collect() }
    }

    fn sees(&self, transaction: u64) -> bool {
        transaction < self.least || (transaction < self.next && !self.open.contains(&transaction))
    }
}

/// Gives each event the mark that its owner's ticks give it.
fn give_marks(copy: &Connection) {
    let mut unseen = BTreeMap::<(i64, u64), Vec<i64>>::new();
    for (ordinal, era, xid) in all(copy, "SELECT ordinal, era, xid FROM freehold_outbox") {
        unseen.entry((era, done(&xid, xid.parse()))).or_default().push(ordinal);
    }
    let sql = "SELECT era, first_mark, seen || ' ' || sees || ' ' || first_ordinal || ' ' || last_ordinal \
               FROM freehold_tick WHERE first_mark <= last_mark ORDER BY ordinal";
    done(sql, copy.execute_batch("ALTER TABLE freehold_outbox ADD COLUMN mark"));
    let mut mark_it = done("mark", copy.prepare("UPDATE freehold_outbox SET mark = ? WHERE ordinal = ?"));
    for (era, first_mark, tick) in all(copy, sql) {
        let tick: Vec<&str> = tick.split(' ').collect();
        let (seen, sees) = (Snapshot::read(tick[0]), Snapshot::read(tick[1]));
        let [first, last] = [tick[2], tick[3]].map(|text| done(text, text.parse::<i64>()));
        let mut fresh = Vec::new();
        for (transaction, events) in unseen.range_mut((era, 0)..(era, sees.next)) {
            if sees.sees(transaction.1) && !seen.sees(transaction.1) {
                fresh.extend(events.extract_if(.., |ordinal| (first..=last).contains(ordinal)));
            }
        }
        fresh.sort_unstable();
        for (mark, ordinal) in (first_mark..).zip(fresh) {
            done("mark", mark_it.execute([mark, ordinal]));
        }
        unseen.retain(|_, events| !events.is_empty());
    }
    done("mark", copy.execute_batch("DELETE FROM freehold_outbox WHERE mark IS NULL"));
}

fn all(copy: &Connection, sql: &str) -> Vec<(i64, i64, String)> {
    let mut query = done(sql, copy.prepare(sql));
    let rows = done(sql, query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))));
    rows.map(|row| done(sql, row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_sees_what_was_over() {
        let snapshot = Snapshot::read("10:14:10,12");
        let seen: Vec<u64> = (8..16).filter(|transaction| snapshot.sees(*transaction)).collect();
        assert_eq!(seen, [8, 9, 11, 13]);
        assert!(Snapshot::read("3:3:").sees(2) && !Snapshot::read("3:3:").sees(3));
    }

    /// A tick late: a transaction that was open while a later one was ticked comes behind it. Planted bugs: order by
    /// ordinal, an event that no tick saw.
    #[test]
    fn marks_follow_the_ticks() {
        let copy = Connection::open_in_memory().unwrap();
        copy.execute_batch(
            "CREATE TABLE freehold_outbox (ordinal, era, xid); \
             INSERT INTO freehold_outbox VALUES (1, 1, '5'), (2, 1, '6'), (3, 1, '6'), (4, 1, '9'), (5, 1, '7'); \
             CREATE TABLE freehold_tick (ordinal, era, seen, sees, first_mark, last_mark, first_ordinal, last_ordinal); \
             INSERT INTO freehold_tick VALUES (1, 1, '5:5:', '5:7:5', 1, 2, 2, 3), (2, 1, '5:7:5', '8:8:', 3, 4, 1, 5)",
        )
        .unwrap();
        give_marks(&copy);
        let marks = all(&copy, "SELECT mark, ordinal, xid FROM freehold_outbox ORDER BY mark");
        let marks: Vec<(i64, i64)> = marks.iter().map(|(mark, ordinal, _)| (*mark, *ordinal)).collect();
        assert_eq!(marks, [(1, 2), (2, 3), (3, 1), (4, 5)]);
    }
}
