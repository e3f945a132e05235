//! Opening a store: what may refuse it, and the steps that both engines share.
//!
//! **Invariant:** a database that is refused has not been written to.

use crate::engine::{Engine, Lane};
use crate::epoch::{self, History};
use crate::error::StoreError;
use crate::migrate::{self, Standing};
use crate::options::{Options, redacted};
use crate::vals;

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The url is none of a database that a store runs on.
    #[error("`{0}` is no database url; write sqlite:/path/to/file.db or postgres://user@host/database")]
    Url(String),
    /// The url says how many connections there may be, and too few.
    #[error("`{url}` says no number of connections that does; a store wants at least {least} connections")]
    Connections {
        /// The url.
        url: String,
        /// How many it wants.
        least: usize,
    },
    /// Another process, or another store of this one, has it open.
    #[error("{0} is open in another process, and one owner at a time writes it")]
    Owned(String),
    /// It belongs to another service.
    #[error("the database belongs to `{found}`, not to `{expected}`")]
    OtherService {
        /// Who opened it.
        expected: String,
        /// Whose it is.
        found: String,
    },
    /// It has tables, but not those of a store.
    #[error("{0} holds something other than a freehold store")]
    NotAStore(String),
    /// A newer program has changed its schema.
    #[error(
        "the database has step {version} of migrations `{set}`, which this program does not know; it is newer"
    )]
    NewerSchema {
        /// The set of migrations.
        set: String,
        /// The step that is unknown.
        version: i64,
    },
    /// A step was changed after it had been applied.
    #[error("step {version} of migrations `{set}` was changed after it had been applied; add a step instead")]
    ChangedMigration {
        /// The set of migrations.
        set: String,
        /// The step.
        version: i64,
    },
    /// The program's own migrations are wrong.
    #[error("the set of migrations `{set}` {problem}")]
    BadMigrations {
        /// The set of migrations.
        set: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A table takes any type in any column, which PostgreSQL does not; none of the steps was applied.
    #[error("the table `{0}` is not STRICT, none of the migrations was applied")]
    LooseTable(String),
    /// A step failed; none was applied.
    #[error("step {version} of migrations `{set}` failed, none was applied")]
    Migration {
        /// The set of migrations.
        set: String,
        /// The step.
        version: i64,
        /// Why.
        source: StoreError,
    },
    /// What is acknowledged would not survive a power loss.
    #[error("the database has {setting} = {found}, a store wants {wanted}")]
    Durability {
        /// The engine's setting.
        setting: String,
        /// What a store wants.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// What is to be made for a service is there already.
    #[error("{0} is there already, and somebody else's")]
    Taken(String),
    /// Its folder or its lock file cannot be used.
    #[error("the file {path} cannot be used")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the database did not open")]
    Database(#[from] StoreError),
}

/// Applies what is missing and begins an epoch, inside the caller's transaction; answers the history and the last mark.
pub(crate) async fn prepare(
    lane: &mut Lane,
    options: &Options,
    now: i64,
) -> Result<(History, i64), OpenError> {
    let engine = lane.engine();
    let standing = if is_store(lane).await? { Standing::read(lane).await? } else { Standing::default() };
    let missing = standing.missing(&options.service, &options.migrations, engine)?;
    migrate::apply(lane, &missing, now).await?;
    if standing.service.is_none() {
        lane.exec("INSERT INTO freehold_store (one, service) VALUES (1, $1)", vals![&options.service])
            .await?;
    }
    let (epochs, last) = epoch::begin(lane, now).await?;
    Ok((History::new(&options.service, epochs), last))
}

/// Decides whether the database is ours, without writing to it. An empty one is.
pub(crate) async fn inspect(lane: &mut Lane, options: &Options) -> Result<(), OpenError> {
    if !is_store(lane).await? {
        return if is_empty(lane).await? {
            Ok(())
        } else {
            Err(OpenError::NotAStore(redacted(&options.url)))
        };
    }
    let standing = Standing::read(lane).await?;
    standing.missing(&options.service, &options.migrations, lane.engine()).map(drop)
}

/// Whose store it is.
pub(crate) async fn owner(lane: &mut Lane, url: &str) -> Result<String, OpenError> {
    let not_a_store = || OpenError::NotAStore(redacted(url));
    if !is_store(lane).await? {
        return Err(not_a_store());
    }
    Standing::read(lane).await?.service.ok_or_else(not_a_store)
}

async fn is_store(lane: &mut Lane) -> Result<bool, StoreError> {
    let sql = match lane.engine() {
        Engine::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'freehold_store'",
        Engine::Postgres => {
            "SELECT 1 FROM pg_tables WHERE schemaname = current_schema AND tablename = 'freehold_store'"
        }
    };
    Ok(lane.one(sql, vals![]).await?.is_some())
}

async fn is_empty(lane: &mut Lane) -> Result<bool, StoreError> {
    let sql = match lane.engine() {
        Engine::Sqlite => "SELECT 1 FROM sqlite_schema LIMIT 1",
        Engine::Postgres => "SELECT 1 FROM pg_tables WHERE schemaname = current_schema LIMIT 1",
    };
    Ok(lane.one(sql, vals![]).await?.is_none())
}
