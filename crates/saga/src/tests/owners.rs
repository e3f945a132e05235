//! The owners that the tests' sagas call: a ledger in a database of its own, keyed by the step's id.
//!
//! Each owner moves one unit from its shelf to those it holds per effect, so the sum of both never changes. An undo
//! that comes before its effect leaves a mark that refuses it; `without_marks` is the planted bug that does not.

use std::path::Path;
use std::time::Duration;

use freehold_store::{Migration, Migrations, Options, Queries, Store, StoreError, Work, vals};
use freehold_wire::Context;

use crate::StepError;

/// What lies on each owner's shelf at first.
pub(crate) const SHELF: i64 = 1_000;
/// The owners, which are also the names of the steps that call them, in order.
pub(crate) const OWNERS: [&str; 3] = ["reserve", "authorise", "capture"];

static MIGRATIONS: Migrations = Migrations {
    set: "owners",
    steps: &[Migration {
        version: 1,
        name: "ledger",
        sql: "CREATE TABLE effect (id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, saga TEXT NOT NULL, \
              applied BIGINT NOT NULL, undone BIGINT NOT NULL) STRICT;
              CREATE TABLE pot (owner TEXT NOT NULL PRIMARY KEY, shelf BIGINT NOT NULL, held BIGINT NOT NULL) STRICT;
              INSERT INTO pot VALUES ('reserve', 1000, 0), ('authorise', 1000, 0), ('capture', 1000, 0);",
        postgres: None,
    }],
};

/// The ledger of all owners.
#[derive(Clone)]
pub(crate) struct Owners {
    store: Store,
    marks: bool,
}

/// A step's effect, as its owner keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) owner: String,
    pub(crate) saga: String,
    pub(crate) stands: bool,
}

impl Owners {
    pub(crate) async fn open(folder: &Path) -> Self {
        let url = format!("sqlite:{}", folder.join("owners.db").display());
        let store = Store::open(Options::new("owners", url).migrations(&MIGRATIONS)).await.unwrap();
        Self { store, marks: true }
    }

    /// The planted bug: an undo without an effect leaves nothing behind.
    pub(crate) fn without_marks(mut self) -> Self {
        self.marks = false;
        self
    }

    /// Applies the effect `id` of a saga, once.
    pub(crate) async fn apply(&self, owner: &'static str, saga: &str, id: &str) -> Result<(), StepError> {
        let (saga, id) = (saga.to_owned(), id.to_owned());
        let unit = async move |work: &mut Work| -> Result<bool, StoreError> {
            let known = "SELECT undone FROM effect WHERE id = $1";
            if let Some(row) = work.one(known, vals![&id]).await? {
                return Ok(row.get::<i64>("undone")? == 0);
            }
            let insert = "INSERT INTO effect (id, owner, saga, applied, undone) VALUES ($1, $2, $3, 1, 0)";
            work.exec(insert, vals![&id, owner, &saga]).await?;
            let moved = "UPDATE pot SET shelf = shelf - 1, held = held + 1 WHERE owner = $1";
            work.exec(moved, vals![owner]).await?;
            Ok(true)
        };
        match self.unit(unit).await {
            true => Ok(()),
            false => Err(StepError::refused("ALREADY_UNDONE", "its undo came first")),
        }
    }

    /// Undoes the effect `id`, once; marks it where there is none.
    pub(crate) async fn undo(&self, owner: &'static str, saga: &str, id: &str) {
        let (saga, id, marks) = (saga.to_owned(), id.to_owned(), self.marks);
        let unit = async move |work: &mut Work| -> Result<(), StoreError> {
            let undo = "UPDATE effect SET undone = 1 WHERE id = $1 AND applied = 1 AND undone = 0";
            if work.exec(undo, vals![&id]).await? == 1 {
                let moved = "UPDATE pot SET shelf = shelf + 1, held = held - 1 WHERE owner = $1";
                work.exec(moved, vals![owner]).await?;
            } else if marks {
                let mark = "INSERT INTO effect (id, owner, saga, applied, undone) VALUES ($1, $2, $3, 0, 1) \
                            ON CONFLICT (id) DO NOTHING";
                work.exec(mark, vals![&id, owner, &saga]).await?;
            }
            Ok(())
        };
        self.unit(unit).await;
    }

    /// All effects that were ever applied.
    pub(crate) async fn effects(&self) -> Vec<Effect> {
        let sql = "SELECT owner, saga, undone FROM effect WHERE applied = 1 ORDER BY id";
        let rows = self.store.read().await.unwrap().all(sql, vals![]).await.unwrap();
        let effect = |row: &freehold_store::Row| Effect {
            owner: row.get("owner").unwrap(),
            saga: row.get("saga").unwrap(),
            stands: row.get::<i64>("undone").unwrap() == 0,
        };
        rows.iter().map(effect).collect()
    }

    /// How many undos came without an effect, and left their mark.
    pub(crate) async fn marks(&self) -> usize {
        let sql = "SELECT id FROM effect WHERE applied = 0";
        self.store.read().await.unwrap().all(sql, vals![]).await.unwrap().len()
    }

    /// Each owner with what lies on its shelf and what it holds.
    pub(crate) async fn pots(&self) -> Vec<(String, i64, i64)> {
        let sql = "SELECT owner, shelf, held FROM pot ORDER BY owner";
        let rows = self.store.read().await.unwrap().all(sql, vals![]).await.unwrap();
        rows.iter()
            .map(|row| (row.get("owner").unwrap(), row.get("shelf").unwrap(), row.get("held").unwrap()))
            .collect()
    }

    pub(crate) async fn close(&self) {
        self.store.close().await;
    }

    async fn unit<T, F>(&self, unit: F) -> T
    where
        F: AsyncFnOnce(&mut Work) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let context = Context::new("owners", Duration::from_secs(30));
        self.store.unit(&context, unit).await.unwrap().0
    }
}
