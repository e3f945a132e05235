//! The one queue that all locations pass: bounded, and written down many at a time, a unit of work after the other.
//!
//! A unit takes what has come in the meantime, of all streams together. **Invariant:** a location counts as kept once its
//! unit has committed, and is sent into the database once.

use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Constraint, Store, StoreError, Work};
use freehold_wire::Context;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::source::Source;
use super::watchers::Watchers;
use crate::location::{Location, Sighting};
use crate::store::sightings;
use crate::trail::Fate;

/// How many locations wait at most, about a megabyte of them; who has one more waits with it.
const QUEUE: usize = 16_384;
/// How many locations a unit of work takes at most: few enough that no other unit waits for long.
const UNIT: usize = 1024;
/// How long a unit waits for company, unless it is full: a commit costs as much for one location as for a thousand.
const COMPANY: Duration = Duration::from_millis(10);
const BUDGET: Duration = Duration::from_secs(5);
/// How often a unit is begun that others have rolled back.
const ATTEMPTS: usize = 3;

/// Takes locations in. Cloning shares the queue.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    queue: mpsc::Sender<Item>,
}

/// Stops what writes the locations down.
#[derive(Debug)]
pub(crate) struct Handle {
    stop: CancellationToken,
    writing: JoinHandle<()>,
}

/// The intake has ended with its service.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the service is ending")]
pub(crate) struct Ended;

#[derive(Debug)]
enum Item {
    Location(Arc<Source>, Location),
    /// Answered when everything before it has been written down or lost.
    Mark(oneshot::Sender<()>),
}

impl Intake {
    /// Begins to write down what comes, and to show it to who watches.
    pub(crate) fn start(store: Store, watchers: Watchers) -> (Self, Handle) {
        let (queue, items) = mpsc::channel(QUEUE);
        let stop = CancellationToken::new();
        let writer = Writer { store, watchers, items };
        let writing = tokio::spawn(writer.run(stop.clone()));
        (Self { queue }, Handle { stop, writing })
    }

    /// Takes a location; waits while too many others wait.
    pub(crate) async fn put(&self, source: &Arc<Source>, location: Location) -> Result<(), Ended> {
        self.queue.send(Item::Location(Arc::clone(source), location)).await.map_err(|_| Ended)
    }

    /// Waits until all that was put before has been written down or lost.
    pub(crate) async fn settle(&self) -> Result<(), Ended> {
        let (mark, reached) = oneshot::channel();
        self.queue.send(Item::Mark(mark)).await.map_err(|_| Ended)?;
        reached.await.map_err(|_| Ended)
    }
}

impl Handle {
    /// Writes down what waits, and ends.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        // It ends by itself; where it panicked there is nothing left to end.
        let _ = self.writing.await;
    }
}

struct Writer {
    store: Store,
    watchers: Watchers,
    items: mpsc::Receiver<Item>,
}

impl Writer {
    async fn run(mut self, stop: CancellationToken) {
        let mut items = Vec::with_capacity(UNIT);
        loop {
            let came = stop.run_until_cancelled(self.items.recv_many(&mut items, UNIT)).await;
            if came.is_none() {
                self.items.close();
            }
            if came == Some(0) || (came.is_none() && self.items.recv_many(&mut items, UNIT).await == 0) {
                return;
            }
            if items.len() < UNIT && stop.run_until_cancelled(tokio::time::sleep(COMPANY)).await.is_some() {
                while let Some(item) = (items.len() < UNIT).then(|| self.items.try_recv().ok()).flatten() {
                    items.push(item);
                }
            }
            self.take(&mut items).await;
        }
    }

    async fn take(&self, items: &mut Vec<Item>) {
        let (mut sources, mut sightings, mut marks) = (Vec::new(), Vec::new(), Vec::new());
        for item in items.drain(..) {
            match item {
                Item::Location(source, location) => {
                    sightings.push(Sighting { driver: source.driver, location });
                    sources.push(source);
                }
                Item::Mark(mark) => marks.push(mark),
            }
        }
        if !sightings.is_empty() {
            self.write(&sources, sightings.into()).await;
        }
        for mark in marks {
            // Who has gone does not wait.
            let _ = mark.send(());
        }
    }

    async fn write(&self, sources: &[Arc<Source>], sightings: Arc<[Sighting]>) {
        match self.unit(&sightings).await {
            Ok(fates) => {
                for (source, fate) in sources.iter().zip(&fates) {
                    source.note(*fate);
                }
                let seen = sources.iter().zip(sightings.iter()).zip(&fates);
                let kept = seen.filter(|(_, fate)| **fate == Fate::Kept);
                self.watchers
                    .show(kept.map(|((source, sighting), _)| (source.id.as_str(), sighting.location)));
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    lost = sightings.len(),
                    "failed to write locations down"
                );
                sources.iter().for_each(|source| source.fail(&error));
            }
        }
    }

    async fn unit(&self, sightings: &Arc<[Sighting]>) -> Result<Vec<Fate>, StoreError> {
        for _ in 1..ATTEMPTS {
            match self.attempt(Arc::clone(sightings)).await {
                Err(error) if is_worth_another(&error) => {}
                outcome => return outcome,
            }
        }
        self.attempt(Arc::clone(sightings)).await
    }

    async fn attempt(&self, sightings: Arc<[Sighting]>) -> Result<Vec<Fate>, StoreError> {
        let context = Context::new(crate::NAME, BUDGET);
        let unit = async move |work: &mut Work| sightings::add(work, &sightings).await;
        self.store.unit(&context, unit).await.map(|(fates, _)| fates)
    }
}

/// Whether nothing was written, and the same may work now: a driver who was erased at the same moment is known to be gone
/// the next time.
fn is_worth_another(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::RolledBack(_)
            | StoreError::Busy(_)
            | StoreError::Constraint { kind: Constraint::ForeignKey, .. }
    )
}
