//! An empty database for a test, on every engine that this run has.
//!
//! SQLite always: a file in a temporary folder. PostgreSQL when `FREEHOLD_TEST_POSTGRES_URL` names a server on which we
//! may make databases, which `cargo xtask test --engines` starts. Nothing stands in for an engine that is not there.

use std::fmt;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::scratch::Scratch;

/// Where the PostgreSQL of this run is: `postgres://user:password@host:port/database`.
const POSTGRES: &str = "FREEHOLD_TEST_POSTGRES_URL";

/// A database of one test; removed when it is dropped, connections to it or not. It shows as its engine's name.
#[derive(Debug)]
pub struct Database {
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File { _folder: Scratch },
    Server { admin: String, name: String },
}

/// An empty database on every engine of this run.
///
/// # Panics
/// The server does not make one.
pub async fn each() -> Vec<Database> {
    std::iter::once(sqlite()).chain(postgres().await).collect()
}

/// An empty SQLite database.
///
/// # Panics
/// Its folder cannot be made.
#[must_use]
pub fn sqlite() -> Database {
    let scratch = Scratch::new("sqlite");
    Database {
        url: format!("sqlite:{}", scratch.join("test.db").display()),
        place: Place::File { _folder: scratch },
    }
}

/// An empty PostgreSQL database; `None` when this run has no server.
///
/// # Panics
/// The server does not make one.
pub async fn postgres() -> Option<Database> {
    let admin = std::env::var(POSTGRES).ok()?;
    let name = format!("freehold_test_{:016x}", fastrand::u64(..));
    // Of the two templates, this is the one that nobody can be connected to: a connection would make us wait.
    execute(&admin, format!("CREATE DATABASE {name} TEMPLATE template0"))
        .await
        .unwrap_or_else(|error| panic!("failed to make a database: {error}"));
    Some(Database { url: with_database(&admin, &name), place: Place::Server { admin, name } })
}

impl Database {
    /// Where it is: `sqlite:/path/of/the/file` or `postgres://..`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is a PostgreSQL database.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Server { .. })
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_postgres() { "PostgreSQL" } else { "SQLite" })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Place::Server { admin, name } = &self.place else { return };
        let (admin, sql) = (admin.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        // A runtime of its own: the test's may be ending, and its clock may stand still.
        let dropped = std::thread::spawn(move || -> Result<(), String> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            runtime.block_on(execute(&admin, sql)).map_err(|error| error.to_string())
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("failed to drop {}: {error}", self.url);
        }
    }
}

async fn execute(url: &str, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

/// `url` with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = match url.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (url, String::new()),
    };
    let host = address.find("://").map_or(0, |at| at + "://".len());
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    format!("{}/{name}{options}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (url, expected) in [
            ("postgres://a:b@localhost:5432/postgres", "postgres://a:b@localhost:5432/mine"),
            ("postgres://localhost", "postgres://localhost/mine"),
            ("postgres:///x?host=/run/pg", "postgres:///mine?host=/run/pg"),
        ] {
            assert_eq!(with_database(url, "mine"), expected);
        }
    }

    #[tokio::test]
    async fn every_engine_of_this_run_has_a_database() {
        let names: Vec<_> = each().await.iter().map(ToString::to_string).collect();
        let expected: &[_] =
            if std::env::var(POSTGRES).is_ok() { &["SQLite", "PostgreSQL"] } else { &["SQLite"] };
        assert_eq!(names, expected);
    }

    #[tokio::test]
    async fn a_database_is_dropped_while_a_connection_is_open() {
        let Some(database) = postgres().await else { return };
        let url = database.url().to_owned();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("CREATE TABLE kept (id BIGINT)").execute(&mut connection).await.unwrap();
        drop(database);
        assert!(PgConnection::connect(&url).await.is_err());
    }
}
