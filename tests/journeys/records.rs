//! The databases of a mesh, looked at past the mesh, and damaged where it is stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehold_sdk::PORTS;
use freehold_testkit::checker::Rows;
use rusqlite::{Connection, OpenFlags};

/// The folder of a mesh's databases.
pub(crate) struct Records(PathBuf);

impl Records {
    /// The databases in a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The number that a query answers; `None` where there is no such database, table or row yet.
    pub(crate) fn number(&self, service: &str, sql: &str) -> Option<i64> {
        self.open(service)?.query_row(sql, [], |row| row.get(0)).ok()
    }

    /// The text that a query answers.
    pub(crate) fn text(&self, service: &str, sql: &str) -> Option<String> {
        self.open(service)?.query_row(sql, [], |row| row.get(0)).ok()
    }

    /// How many rows each table has, and the last mark of each feed. A start is no work: its epoch does not count.
    pub(crate) fn sums(&self) -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for (service, _) in PORTS {
            for table in self.names(service, "table").iter().filter(|table| *table != "freehold_epoch") {
                let rows = self.number(service, &format!("SELECT COUNT(*) FROM {table}"));
                sums.insert(format!("{service}.{table}"), rows.expect("a table has a count"));
            }
            sums.insert(format!("{service}, last mark"), self.head(service));
        }
        sums
    }

    /// The names of everything of a kind that the schema has.
    fn names(&self, service: &str, kind: &str) -> Vec<String> {
        let database = self.open(service).expect("the database opens");
        let sql = "SELECT name FROM sqlite_schema WHERE type = $1";
        let mut query = database.prepare(sql).expect("the schema is a table");
        let names = query.query_map([kind], |row| row.get(0)).expect("the schema has names");
        names.collect::<Result<_, _>>().expect("a name is a text")
    }

    /// The last mark of a service's feed; zero while there is none.
    fn head(&self, service: &str) -> i64 {
        self.number(service, "SELECT MAX(mark) FROM freehold_outbox").unwrap_or(0)
    }

    /// How many events all services together have emitted.
    pub(crate) fn events(&self) -> i64 {
        PORTS.iter().map(|(service, _)| self.head(service)).sum()
    }

    fn open(&self, service: &str) -> Option<Connection> {
        let database =
            Connection::open_with_flags(self.file(service), OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        database.busy_timeout(Duration::from_secs(10)).ok()?;
        Some(database)
    }

    /// Changes the database of a stopped service, past every trigger that guards it.
    pub(crate) fn change(&self, service: &str, sql: &str) {
        let database = Connection::open(self.file(service)).expect("the database opens");
        for trigger in self.names(service, "trigger") {
            database.execute_batch(&format!("DROP TRIGGER {trigger}")).expect("a trigger is dropped");
        }
        database.execute_batch(sql).unwrap_or_else(|error| panic!("{service}: {sql}: {error}"));
    }

    /// Changes the database of a service that may be running, between its commits.
    pub(crate) fn change_running(&self, service: &str, sql: &str) {
        Rows::damage(&self.file(service), sql);
    }

    /// The file of a service's database.
    pub(crate) fn file(&self, service: &str) -> PathBuf {
        self.0.join(format!("{service}.db"))
    }

    /// What the file holds, with what is written and not yet checkpointed.
    pub(crate) fn bytes(&self, service: &str) -> (Vec<u8>, Vec<u8>) {
        let read = |file: PathBuf| fs::read(file).unwrap_or_default();
        (read(self.file(service)), read(self.0.join(format!("{service}.db-wal"))))
    }
}
