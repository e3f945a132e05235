//! The databases of a mesh, opened read-only beside their owners.

use std::path::Path;
use std::time::Duration;

use freehold_sdk::PORTS;
use freehold_server::host::database_url;
use freehold_store::{OpenError, Queries, Read, ReadOnly, Row, StoreError, Value};

const BUDGET: Duration = Duration::from_secs(30);

/// The databases that there are in a folder.
pub(crate) struct Databases {
    open: Vec<(&'static str, ReadOnly)>,
}

/// One moment of each of them. The moments differ by as long as it takes to open them.
pub(crate) struct Moment {
    reads: Vec<(&'static str, Read)>,
}

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
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
        for (name, _) in PORTS {
            if folder.join(format!("{name}.db")).exists() {
                let database = ReadOnly::open(&database_url(folder, name)).await;
                open.push((*name, database.map_err(|error| ReadError::Open(name, error))?));
            }
        }
        Ok(Self { open })
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
            reads.push((*name, read));
        }
        Ok(Moment { reads })
    }
}

impl Moment {
    /// Whether the database of that service is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.reads.iter().any(|(known, _)| *known == name)
    }

    /// The rows of a query; none where the database is not there.
    pub(crate) async fn rows(
        &mut self,
        name: &str,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, ReadError> {
        match self.reads.iter_mut().find(|(known, _)| *known == name) {
            None => Ok(Vec::new()),
            Some((name, read)) => read.all(sql, values).await.map_err(|error| ReadError::Query(name, error)),
        }
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
