//! Looking into a database without owning it: for `verify` and for whoever examines a copy.
//!
//! It takes no lock, applies no migration and begins no epoch, so it works beside a running owner and on the file of a
//! stopped one; there SQLite may leave an empty `-wal` and a `-shm` beside it. **Invariant:** the database stays as it is.

use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::StoreError;
use crate::open::{self, OpenError};
use crate::options::{Options, redacted};
use crate::read::Read;
use crate::{postgres, sqlite};

/// Whether a process has the SQLite database at `url` open as its owner now. Of one on PostgreSQL its server has to be
/// asked, by [`ReadOnly::is_owned`]: `false`.
#[must_use]
pub fn is_owned(url: &str) -> bool {
    url.strip_prefix("sqlite:").is_some_and(|path| sqlite::is_locked(path.as_ref()))
}

/// A database that is only read.
pub struct ReadOnly {
    service: String,
    source: Source,
}

enum Source {
    Sqlite(sqlite::Readers),
    Postgres(postgres::Reads),
}

impl ReadOnly {
    /// Opens the store at `url`; it must exist.
    ///
    /// # Errors
    /// [`OpenError::NotAStore`] for anything else than a store's database, or an error of the database.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let (service, source) = match Engine::of_url(url) {
            Some(Engine::Sqlite) => {
                let (service, readers) = sqlite::open_read_only(url)?;
                (service, Source::Sqlite(readers))
            }
            Some(Engine::Postgres) => {
                let (service, reads) = postgres::open_read_only(url).await?;
                (service, Source::Postgres(reads))
            }
            None => return Err(OpenError::Url(redacted(url))),
        };
        Ok(Self { service, source })
    }

    /// Whose store it is.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// What it runs on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.source {
            Source::Sqlite(_) => Engine::Sqlite,
            Source::Postgres(_) => Engine::Postgres,
        }
    }

    /// Whether a process has it open as its owner now, where it is on PostgreSQL; for SQLite there is [`is_owned`].
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn is_owned(&self, budget: Duration) -> Result<bool, StoreError> {
        match &self.source {
            Source::Sqlite(_) => Ok(false),
            Source::Postgres(reads) => postgres::is_locked(reads, Instant::now() + budget).await,
        }
    }

    /// Whether [`crate::Store::open`] would take it for the options' service: its own, and no newer than its migrations.
    ///
    /// # Errors
    /// What opening it would be refused with, or an error of the database.
    pub async fn admits(&self, options: &Options) -> Result<(), OpenError> {
        let mut read = self.read(options.read_budget).await?;
        open::inspect(read.lane()?, options).await
    }

    /// Begins a read that is cut when `budget` is spent.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn read(&self, budget: Duration) -> Result<Read, StoreError> {
        let deadline = Instant::now() + budget;
        match &self.source {
            Source::Sqlite(readers) => readers.read(deadline).await,
            Source::Postgres(reads) => reads.read(deadline).await,
        }
    }
}
