//! The databases of a mesh, looked at past the mesh: which rows hold what.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// The folder of a mesh's databases.
pub(crate) struct Records(PathBuf);

impl Records {
    /// The databases in a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The number that a query answers.
    pub(crate) fn number(&self, service: &str, sql: &str) -> i64 {
        self.open(service).query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// The columns, "table.column", of which a row holds the text, in whatever it is wrapped.
    pub(crate) fn holders(&self, service: &str, text: &str) -> Vec<String> {
        let database = self.open(service);
        let mut tables =
            database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let mut holders: Vec<String> =
            tables.iter().flat_map(|table| columns_with(&database, table, text.as_bytes())).collect();
        holders.dedup();
        holders
    }

    fn open(&self, service: &str) -> Connection {
        let file = self.0.join(format!("{service}.db"));
        let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        database.busy_timeout(Duration::from_secs(10)).unwrap();
        database
    }
}

fn columns_with(database: &Connection, table: &str, needle: &[u8]) -> Vec<String> {
    let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns: Vec<String> = rows.column_names().into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        for (index, column) in columns.iter().enumerate() {
            let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = row.get_ref(index).unwrap() else {
                continue;
            };
            if bytes.windows(needle.len()).any(|window| window == needle) {
                found.push(format!("{table}.{column}"));
            }
        }
    }
    found.sort();
    found
}
