//! What an engine writes up with each commit, and what the store reads there: history, last mark, counts.
//!
//! **Invariant:** a commit is in the ledger before anybody here is told of it, so the head covers every token that this
//! process has given out. On PostgreSQL another instance may have given out later ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use freehold_wire::Watermark;
use freehold_wire::pb::{Epoch, Token};
use tokio::sync::watch;

use crate::epoch::History;
use crate::options::Clock;

/// What a store has committed since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Units of work.
    pub units: u64,
    /// Transactions: on SQLite many units share one, and each costs one fsync.
    pub commits: u64,
}

/// The database lacks what this process knows was in it: it was restored, or its server's place was taken by one that was
/// behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SetBack;

/// The engine's side; gone when the engine has ended.
pub(crate) struct Ledger {
    history: Known,
    clock: Clock,
    commits: watch::Sender<i64>,
    counts: Arc<Counts>,
}

/// The store's side.
pub(crate) struct View {
    history: Known,
    pub(crate) commits: watch::Receiver<i64>,
    counts: Arc<Counts>,
}

/// The history as far as it is known here. Epochs and the last mark move together under its lock: a mark of an epoch that
/// is not known yet would be told as one of the epoch before.
type Known = Arc<RwLock<Arc<History>>>;

fn known(history: &Known) -> Arc<History> {
    history.read().unwrap_or_else(PoisonError::into_inner).clone()
}

#[derive(Default)]
struct Counts {
    units: AtomicU64,
    commits: AtomicU64,
}

impl Ledger {
    /// A ledger that goes on after `mark`.
    pub(crate) fn new(history: History, clock: Clock, mark: i64) -> Self {
        let history = Arc::new(RwLock::new(Arc::new(history)));
        Self { history, clock, commits: watch::Sender::new(mark), counts: Arc::default() }
    }

    pub(crate) fn view(&self) -> View {
        let commits = self.commits.subscribe();
        View { history: self.history.clone(), commits, counts: self.counts.clone() }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Whose it is.
    pub(crate) fn service(&self) -> Arc<str> {
        self.history().service.clone()
    }

    pub(crate) fn history(&self) -> Arc<History> {
        known(&self.history)
    }

    /// The token of whatever has been committed until now.
    pub(crate) fn token(&self) -> Token {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        history.token(self.mark())
    }

    /// Writes up what an instance finds in the database: all epochs, and the last mark.
    ///
    /// # Errors
    /// [`SetBack`] where something is missing that was there before.
    pub(crate) fn found(&self, epochs: Option<Vec<Epoch>>, mark: i64) -> Result<(), SetBack> {
        let mut history = self.history.write().unwrap_or_else(PoisonError::into_inner);
        if mark < self.mark() {
            return Err(SetBack);
        }
        if let Some(epochs) = epochs {
            *history = Arc::new(history.continued(epochs, self.mark()).ok_or(SetBack)?);
        }
        self.reached(mark);
        Ok(())
    }

    /// The last mark that has been committed.
    pub(crate) fn mark(&self) -> i64 {
        *self.commits.borrow()
    }

    /// Writes up one transaction of so many units, up to a mark. One of no units has written nothing and counts for
    /// nothing.
    pub(crate) fn committed(&self, units: usize, mark: i64) {
        self.counts.units.fetch_add(units as u64, Ordering::Relaxed);
        self.counts.commits.fetch_add(u64::from(units > 0), Ordering::Relaxed);
        self.reached(mark);
    }

    /// Writes up that everything up to a mark has been committed; wakes listeners where there are new events.
    pub(crate) fn reached(&self, mark: i64) {
        self.commits.send_if_modified(|last| {
            let moved = mark > *last;
            *last = mark.max(*last);
            moved
        });
    }
}

impl View {
    /// The token of whatever has been committed until now.
    pub(crate) fn token(&self) -> Token {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        history.token(*self.commits.borrow())
    }

    pub(crate) fn history(&self) -> Arc<History> {
        known(&self.history)
    }

    /// The epochs, and the last mark that has been committed in them.
    pub(crate) fn head(&self) -> Watermark {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        history.watermark(*self.commits.borrow())
    }

    pub(crate) fn tally(&self) -> Tally {
        let Counts { units, commits } = &*self.counts;
        Tally { units: units.load(Ordering::Relaxed), commits: commits.load(Ordering::Relaxed) }
    }
}
