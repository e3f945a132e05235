//! The databases of a mesh, opened read-only beside their owners.

use std::path::Path;
use std::time::Duration;

use freehold_sdk::PORTS;
use freehold_server::databases::{Databases as Where, DatabasesError};
use freehold_store::{Engine, OpenError, Queries, Read, ReadOnly, Row, StoreError, Value};

/// How long one look at a database may take, a large one or one on a machine that is busy.
const BUDGET: Duration = Duration::from_secs(300);

/// The databases that there are in a folder.
pub(crate) struct Databases {
    open: Vec<(&'static str, ReadOnly)>,
}

/// One moment of each of them. The moments differ by as long as it takes to open them.
pub(crate) struct Moment {
    reads: Vec<(&'static str, Engine, Read)>,
}

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The folder does not say where they are.
    #[error(transparent)]
    Where(#[from] DatabasesError),
    /// It does not open.
    #[error("failed to open the database of {0}")]
    Open(&'static str, #[source] OpenError),
    /// A query failed.
    #[error("failed to read the database of {0}")]
    Query(&'static str, #[source] StoreError),
}

impl Databases {
    /// Opens what there is in the folder.
    pub(crate) async fn open(folder: &Path) -> Result<Self, ReadError> {
        let mut open = Vec::new();
        let databases = Where::of(folder)?;
        for (name, _) in PORTS.iter().filter(|(name, _)| databases.is_there(name)) {
            let url = databases.reader_url(name);
            match ReadOnly::open(&url).await {
                Ok(database) => open.push((*name, database)),
                // Made for a service that has not been started yet.
                Err(OpenError::NotAStore(_)) if url.starts_with("postgres") => {}
                Err(error) => return Err(ReadError::Open(name, error)),
            }
        }
        Ok(Self { open })
    }

    /// Whether some process has one of those on a server open as its owner.
    pub(crate) async fn are_owned(&self) -> Result<bool, ReadError> {
        for (name, database) in &self.open {
            if database.is_owned(BUDGET).await.map_err(|error| ReadError::Query(name, error))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of those there are.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.open.iter().map(|(name, _)| *name).collect()
    }

    /// Begins to read all of them.
    pub(crate) async fn moment(&self) -> Result<Moment, ReadError> {
        let mut reads = Vec::new();
        for (name, database) in &self.open {
            let read = database.read(BUDGET).await.map_err(|error| ReadError::Query(name, error))?;
            reads.push((*name, database.engine(), read));
        }
        Ok(Moment { reads })
    }
}

impl Moment {
    /// Whether the database of that service is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.reads.iter().any(|(known, ..)| *known == name)
    }

    /// What the database of that service runs on; SQLite where it is not there.
    pub(crate) fn engine(&self, name: &str) -> Engine {
        let known = self.reads.iter().find(|(known, ..)| *known == name);
        known.map_or(Engine::Sqlite, |(_, engine, _)| *engine)
    }

    /// Whether the database of that service has the table.
    pub(crate) async fn has_table(&mut self, name: &str, table: &str) -> Result<bool, ReadError> {
        let sql = match self.engine(name) {
            Engine::Sqlite => "SELECT 1 AS there FROM sqlite_schema WHERE name = $1",
            Engine::Postgres => {
                "SELECT 1 AS there FROM pg_tables WHERE schemaname = current_schema AND tablename = $1"
            }
        };
        Ok(!self.rows(name, sql, vec![table.into()]).await?.is_empty())
    }

    /// The rows of a query; none where the database is not there.
    pub(crate) async fn rows(
        &mut self,
        name: &str,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, ReadError> {
        match self.reads.iter_mut().find(|(known, ..)| *known == name) {
            None => Ok(Vec::new()),
            Some((name, _, read)) => {
                read.all(sql, values).await.map_err(|error| ReadError::Query(name, error))
            }
        }
    }

    /// Whether an owner still keeps all of its events: only then is what has none known to be wrong.
    pub(crate) async fn keeps_all(&mut self, owner: &'static str) -> Result<bool, ReadError> {
        let sql = "SELECT COALESCE((SELECT MIN(mark) FROM freehold_event), (SELECT mark + 1 FROM freehold_head)) AS first";
        let rows = self.rows(owner, sql, Vec::new()).await?;
        let first = rows.first().map(|row| cell::<i64>(owner, row, "first")).transpose()?;
        Ok(first == Some(1))
    }
}

/// Reads columns, naming the database where one is not what it must be.
pub(crate) fn cell<T: freehold_store::FromCell>(
    name: &'static str,
    row: &Row,
    column: &str,
) -> Result<T, ReadError> {
    row.get(column).map_err(|error| ReadError::Query(name, error))
}
