//! An empty database for a test, on every engine that this run has.
//!
//! SQLite: a file in a temporary folder. PostgreSQL, when `FREEHOLD_TEST_POSTGRES_URL` names a server, which `cargo xtask
//! test --engines` starts: a schema, since making a database takes half a second. Nothing stands in for an engine that is
//! not there.

use std::fmt;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::scratch::Scratch;

/// Where the PostgreSQL of this run is: `postgres://user:password@host:port/database`.
const POSTGRES: &str = "FREEHOLD_TEST_POSTGRES_URL";

/// Which engine [`own`] is of: `postgres`, or else SQLite. `cargo xtask test --engines` runs what asks for it on both.
const ENGINE: &str = "FREEHOLD_TEST_ENGINE";

/// A database of one test; removed when it is dropped, connections to it or not. It shows as its engine's name.
#[derive(Debug)]
pub struct Database {
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File { folder: Scratch },
    Server { admin: String, name: String },
    Apart { admin: String, name: String },
}

/// An empty database on every engine of this run; where it is about one, on that one.
///
/// # Panics
/// The server does not make one.
pub async fn each() -> Vec<Database> {
    if is_about_postgres() {
        return vec![own().await];
    }
    std::iter::once(sqlite()).chain(postgres().await).collect()
}

/// An empty database on the one engine that this run is about.
///
/// # Panics
/// The server does not make one, or there is none.
pub async fn own() -> Database {
    if !is_about_postgres() {
        return sqlite();
    }
    let made = postgres().await;
    made.unwrap_or_else(|| panic!("{ENGINE} is postgres, and {POSTGRES} names no server"))
}

/// Whether [`own`] is of PostgreSQL in this run: for a test that is about files, which has nothing to test there.
#[must_use]
pub fn is_about_postgres() -> bool {
    std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres")
}

/// An empty SQLite database.
///
/// # Panics
/// Its folder cannot be made.
#[must_use]
pub fn sqlite() -> Database {
    sqlite_in(Scratch::new("sqlite"))
}

/// The SQLite database in a folder that another one was copied to.
#[must_use]
pub fn sqlite_in(folder: Scratch) -> Database {
    let url = format!("sqlite:{}", folder.join("test.db").display());
    Database { url, place: Place::File { folder } }
}

/// An empty PostgreSQL database; `None` when this run has no server.
///
/// # Panics
/// The server does not make one.
pub async fn postgres() -> Option<Database> {
    let admin = std::env::var(POSTGRES).ok()?;
    let name = format!("freehold_test_{:016x}", fastrand::u64(..));
    let made = execute(&admin, format!("CREATE SCHEMA {name}")).await;
    made.unwrap_or_else(|error| panic!("failed to make a schema: {error}"));
    let joint = if admin.contains('?') { '&' } else { '?' };
    Some(Database {
        url: format!("{admin}{joint}options[search_path]={name}"),
        place: Place::Server { admin, name },
    })
}

/// The same as a database instead of a schema: what stays open in others is nothing to it. Takes half a second.
///
/// # Panics
/// The server does not make one.
pub async fn postgres_apart() -> Option<Database> {
    let admin = std::env::var(POSTGRES).ok()?;
    let name = format!("freehold_test_{:016x}", fastrand::u64(..));
    change(&admin, &format!("CREATE DATABASE {name}")).await;
    let (server, settings) = admin.split_once('?').unwrap_or((&admin, ""));
    let (server, _) = server.rsplit_once('/')?;
    Some(Database { url: format!("{server}/{name}?{settings}"), place: Place::Apart { admin, name } })
}

impl Database {
    /// Where it is: `sqlite:/path/of/the/file` or `postgres://..`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of a SQLite database.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::File { folder } => Some(folder.path()),
            Place::Server { .. } | Place::Apart { .. } => None,
        }
    }

    /// Whether it is a PostgreSQL database.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        !matches!(self.place, Place::File { .. })
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_postgres() { "PostgreSQL" } else { "SQLite" })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match &self.place {
            Place::File { .. } => {}
            Place::Server { admin, name } => execute_at_the_end(admin, vec![drop_schema(name)]),
            Place::Apart { admin, name } => drop_databases(admin, vec![name.clone()]),
        }
    }
}

/// The words that drop a schema, whoever is still in the middle of something in it.
fn drop_schema(name: &str) -> String {
    format!(
        "DO $$ BEGIN LOOP BEGIN \
         PERFORM pg_terminate_backend(pid) FROM pg_locks LEFT JOIN pg_class ON pg_class.oid = relation \
         WHERE '{name}'::regnamespace IN (relnamespace, objid) AND pid <> pg_backend_pid() \
         AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()); \
         SET LOCAL lock_timeout = 500; DROP SCHEMA {name} CASCADE; RETURN; \
         EXCEPTION WHEN lock_not_available OR deadlock_detected THEN NULL; END; END LOOP; END $$"
    )
}

/// Changes a PostgreSQL database, whoever else uses it: how a bug is planted that lies in what is stored.
///
/// # Panics
/// The statements fail.
pub async fn change(url: &str, sql: &str) {
    if let Err(error) = execute(url, sql.to_owned()).await {
        panic!("{sql}: {error}");
    }
}

/// The number that a query of a PostgreSQL database answers; `None` where it answers none.
pub async fn number(url: &str, sql: &'static str) -> Option<i64> {
    let mut connection = PgConnection::connect(url).await.ok()?;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.ok()
}

/// Drops databases that a program under test has made, with the roles of their names and of their readers.
pub fn drop_databases(admin: &str, names: Vec<String>) {
    let drop = |name: String| {
        let database = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        [database, format!("DROP ROLE IF EXISTS {name}"), format!("DROP ROLE IF EXISTS {name}_reader")]
    };
    execute_at_the_end(admin, names.into_iter().flat_map(drop).collect());
}

/// In a runtime of its own: the test's may be ending, and its clock may stand still.
fn execute_at_the_end(admin: &str, statements: Vec<String>) {
    let admin = admin.to_owned();
    let done = std::thread::spawn(move || -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        for sql in statements {
            runtime.block_on(execute(&admin, sql)).map_err(|error| error.to_string())?;
        }
        Ok(())
    });
    if let Ok(Err(error)) = done.join() {
        eprintln!("failed to drop what a test has made: {error}");
    }
}

/// Runs statements on a PostgreSQL server.
///
/// # Errors
/// Those of the server.
pub async fn execute(url: &str, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_engine_of_this_run_has_a_database() {
        let names: Vec<_> = each().await.iter().map(ToString::to_string).collect();
        let expected: &[_] = match std::env::var(POSTGRES) {
            Ok(_) if is_about_postgres() => &["PostgreSQL"],
            Ok(_) => &["SQLite", "PostgreSQL"],
            Err(_) => &["SQLite"],
        };
        assert_eq!(names, expected);
    }

    #[tokio::test]
    async fn a_database_is_dropped_while_a_transaction_is_open() {
        let Some(database) = postgres().await else { return };
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        let open = "CREATE TABLE kept (id BIGINT); BEGIN; INSERT INTO kept VALUES (1)";
        sqlx::raw_sql(open).execute(&mut connection).await.unwrap();
        let url = database.url().to_owned();
        drop(database);
        let look = sqlx::raw_sql("SELECT id FROM kept").execute(&mut connection).await;
        assert!(look.is_err(), "its connection was ended");
        assert!(execute(&url, "SELECT id FROM kept".to_owned()).await.is_err(), "and its tables are gone");
    }
}
