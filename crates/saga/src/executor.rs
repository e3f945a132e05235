//! The executor: definitions over a store go in, a [`Handle`] comes out; every saga that has not ended goes on.

use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, vals};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::definition::{Definition, DefinitionError, Saga};
use crate::dispatch::Dispatcher;
use crate::drive::Engine;
use crate::endings::Endings;
use crate::faults::Faults;
use crate::handle::Handle;
use crate::instance::Registry;

/// How many requests to drive a saga at once are kept; more are found by their timers.
const ASKED: usize = 1024;

/// How an executor runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many sagas are driven at a time.
    pub concurrency: usize,
    /// The delays between attempts, of steps and of undos.
    pub backoff: Backoff,
    /// After so many failed attempts, what is tried for ever counts as stuck.
    pub stuck_after: u32,
    /// How long the steps that are under way may take to end when the executor stops.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrency: 128, backoff: Backoff::default(), stuck_after: 10, grace: Duration::from_secs(1) }
    }
}

/// An executor that has not started.
pub struct Executor {
    store: Store,
    options: Options,
    definitions: Vec<Definition>,
    wrong: Option<DefinitionError>,
    faults: Faults,
}

impl Executor {
    /// An executor of the sagas in `store`, whose migrations include [`MIGRATIONS`](crate::MIGRATIONS).
    #[must_use]
    pub fn new(store: Store, options: Options) -> Self {
        Self { store, options, definitions: Vec::new(), wrong: None, faults: Faults::default() }
    }

    /// Runs the sagas of this definition. Register every version that has sagas left: one without is left alone.
    #[must_use]
    pub fn saga<S>(mut self, saga: &Saga<S>) -> Self {
        let definition = saga.definition();
        let (name, version) = (definition.name, definition.version);
        let known = self.definitions.iter().any(|known| known.name == name && known.version == version);
        let checked =
            if known { Err(DefinitionError::TwoSagas { name, version }) } else { definition.check() };
        self.wrong = self.wrong.or(checked.err());
        self.definitions.push(definition.clone());
        self
    }

    /// Starts, on the current Tokio runtime: every saga of these definitions that has not ended goes on.
    ///
    /// # Errors
    /// [`DefinitionError`], of the first definition that is wrong.
    pub fn start(self) -> Result<Handle, DefinitionError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let Options { concurrency, backoff, stuck_after, grace } = self.options;
        let engine = Arc::new(Engine {
            store: self.store,
            registry: Registry::new(self.definitions, backoff, stuck_after),
            endings: Endings::default(),
            faults: self.faults,
            stopping: CancellationToken::new(),
        });
        let (asked, questions) = mpsc::channel(ASKED);
        let stopped = CancellationToken::new();
        let dispatcher = Dispatcher::new(Arc::clone(&engine), questions, concurrency, grace);
        let guard = stopped.clone().drop_guard();
        let reported = Arc::clone(&engine);
        tokio::spawn(async move {
            let _guard = guard;
            if let Err(error) = report_unknown(&reported).await {
                tracing::warn!(%error, "failed to look for sagas without a definition");
            }
            dispatcher.run().await;
        });
        Ok(Handle { engine, asked, stopped })
    }
}

/// Says which sagas nobody here can drive.
async fn report_unknown(engine: &Engine) -> Result<(), StoreError> {
    const SQL: &str = "SELECT name, version, COUNT(*) AS sagas FROM freehold_saga WHERE next_ms IS NOT NULL \
        GROUP BY name, version";
    for row in engine.store.read().await?.all(SQL, vals![]).await? {
        let (name, version): (String, i64) = (row.get("name")?, row.get("version")?);
        if !engine.registry.has(&name, version) {
            let sagas: i64 = row.get("sagas")?;
            tracing::error!(name, version, sagas, "sagas without a definition are left alone");
        }
    }
    Ok(())
}

#[cfg(test)]
impl Executor {
    pub(crate) fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }
}
