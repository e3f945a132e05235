//! The rows that the mesh keeps beside a service's own, as plain data.
//!
//! A SQLite file is read as it stands: a process may be writing, or have been killed in it. Of a database on PostgreSQL, or
//! of one that is to be damaged, a copy is read ([`super::copied`]).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, Row};

use super::copied;

/// How long a reader waits for a process that is recovering its database.
pub(super) const BUSY: Duration = Duration::from_secs(60);

/// One key's history at its owner: the entity and the key.
pub type Stream = (String, String);

/// A service's database.
#[derive(Debug)]
pub struct Rows {
    connection: Connection,
}

/// An event in an owner's outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where it stands in the feed.
    pub mark: i64,
    /// Its id.
    pub id: String,
    /// Whose history it belongs to.
    pub stream: Stream,
    /// Its ordinal there.
    pub version: i64,
    /// Its type.
    pub kind: String,
    /// Whether it says that the entity is gone.
    pub deleted: bool,
    /// What it says; `None` where it was erased.
    pub data: Option<Vec<u8>>,
}

/// A key as its owner has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The version of its last event.
    pub version: i64,
    /// Whether it is gone.
    pub deleted: bool,
    /// Its shared fields.
    pub data: Option<Vec<u8>>,
}

/// An event that waits at a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Whose history it belongs to.
    pub stream: Stream,
    /// Its ordinal there.
    pub version: i64,
    /// What for.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
}

/// What was decided about an event that waited.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decided {
    /// Whose history it belongs to.
    pub stream: Stream,
    /// Its ordinal there.
    pub version: i64,
    /// `dead`, `redriven`, `skipped`, ...
    pub action: String,
    /// By whom; empty where the service did itself.
    pub who: String,
}

impl Rows {
    /// Opens a service's database; `None` while there is none.
    ///
    /// # Panics
    /// The file is no database.
    #[must_use]
    pub fn open(file: &Path) -> Option<Self> {
        if !file.exists() {
            return None;
        }
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let connection = done(file.display(), connection);
        done(file.display(), connection.busy_timeout(BUSY));
        Some(Self { connection })
    }

    /// Copies the database at a url, `sqlite:` or `postgres://`, as it is now; `None` while there is none.
    ///
    /// # Panics
    /// It cannot be read.
    pub async fn copy_of(url: &str) -> Option<Self> {
        let connection = match url.strip_prefix("sqlite:").map(Path::new) {
            Some(file) => file.exists().then(|| copied::of_file(file)),
            None => copied::of_server(url).await,
        };
        connection.map(|connection| Self { connection })
    }

    /// Changes a copy.
    ///
    /// # Panics
    /// The statements fail, as they do where it is none.
    pub fn change(&self, sql: &str) {
        done(sql, self.connection.execute_batch(sql));
    }

    /// Changes a database, past whoever owns it: how a bug is planted that lies in what is stored.
    ///
    /// # Panics
    /// The statements fail.
    pub fn damage(file: &Path, sql: &str) {
        let connection = done(file.display(), Connection::open(file));
        done(file.display(), connection.busy_timeout(BUSY));
        done(sql, connection.execute_batch(sql));
    }

    /// All rows of a query, each as it is read.
    ///
    /// # Panics
    /// The query fails: a table is missing, or a column is of another type.
    pub fn all<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut query = done(sql, self.connection.prepare(sql));
        let rows = done(sql, query.query_map([], read));
        rows.map(|row| done(sql, row)).collect()
    }

    /// The first column of the first row; `None` without a row.
    ///
    /// # Panics
    /// As [`Rows::all`].
    pub fn one<T: FromSql>(&self, sql: &str) -> Option<T> {
        self.all(sql, |row| row.get(0)).into_iter().next()
    }

    /// Whether there is such a table.
    #[must_use]
    pub fn has(&self, table: &str) -> bool {
        let sql = format!("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{table}'");
        self.one::<i64>(&sql).is_some()
    }

    /// An owner's events, in the order of its feed.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        let sql =
            "SELECT mark, id, entity, key, version, type, deleted, data FROM freehold_outbox ORDER BY mark";
        self.all(sql, |row| {
            Ok(Told {
                mark: row.get(0)?,
                id: row.get(1)?,
                stream: (row.get(2)?, row.get(3)?),
                version: row.get(4)?,
                kind: row.get(5)?,
                deleted: row.get(6)?,
                data: row.get(7)?,
            })
        })
    }

    /// An owner's keys as they stand.
    #[must_use]
    pub fn standing(&self) -> BTreeMap<Stream, Standing> {
        let sql = "SELECT entity, key, version, deleted, data FROM freehold_entity";
        let read = |row: &Row<'_>| {
            let standing = Standing { version: row.get(2)?, deleted: row.get(3)?, data: row.get(4)? };
            Ok(((row.get(0)?, row.get(1)?), standing))
        };
        self.all(sql, read).into_iter().collect()
    }

    /// A consumer's subscriptions: whose feed each reads, and up to which mark it has come.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<String, (String, i64)> {
        let sql = "SELECT subscription, owner, mark FROM freehold_position";
        let read = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
        self.all(sql, read).into_iter().collect()
    }

    /// Up to which version a subscription has taken each key.
    #[must_use]
    pub fn taken(&self, subscription: &str) -> BTreeMap<Stream, i64> {
        let sql = "SELECT subscription, entity, key, version FROM freehold_inbox WHERE version > 0";
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?), row.get(3)?));
        let all = self.all(sql, read).into_iter();
        all.filter(|row| row.0 == subscription).map(|row| (row.1, row.2)).collect()
    }

    /// What waits in a subscription.
    #[must_use]
    pub fn parked(&self, subscription: &str) -> Vec<Parked> {
        let sql = "SELECT subscription, entity, key, version, state, attempts FROM freehold_parked \
                   ORDER BY entity, key, version";
        let read = |row: &Row<'_>| {
            let stream = (row.get(1)?, row.get(2)?);
            let parked = Parked { stream, version: row.get(3)?, state: row.get(4)?, attempts: row.get(5)? };
            Ok((row.get::<_, String>(0)?, parked))
        };
        let all = self.all(sql, read).into_iter();
        all.filter(|row| row.0 == subscription).map(|row| row.1).collect()
    }

    /// What was decided in a subscription, in its order.
    #[must_use]
    pub fn decided(&self, subscription: &str) -> Vec<Decided> {
        let sql =
            "SELECT subscription, entity, key, version, action, who FROM freehold_parked_log ORDER BY id";
        let read = |row: &Row<'_>| {
            let stream = (row.get(1)?, row.get(2)?);
            let decided = Decided { stream, version: row.get(3)?, action: row.get(4)?, who: row.get(5)? };
            Ok((row.get::<_, String>(0)?, decided))
        };
        let all = self.all(sql, read).into_iter();
        all.filter(|row| row.0 == subscription).map(|row| row.1).collect()
    }
}

pub(super) fn done<T, E: std::fmt::Display>(what: impl std::fmt::Display, outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("{what}: {error}"))
}
