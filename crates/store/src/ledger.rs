//! What an engine writes up with each commit, and what the store reads there: history, last mark, counts.
//!
//! **Invariant:** a commit is in the ledger before anybody is told of it, so the head covers every token that is out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// The engine's side; gone when the engine has ended.
pub(crate) struct Ledger {
    pub(crate) history: Arc<History>,
    clock: Clock,
    commits: watch::Sender<i64>,
    counts: Arc<Counts>,
}

/// The store's side.
pub(crate) struct View {
    pub(crate) history: Arc<History>,
    pub(crate) commits: watch::Receiver<i64>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    units: AtomicU64,
    commits: AtomicU64,
}

impl Ledger {
    /// A ledger that goes on after `mark`.
    pub(crate) fn new(history: History, clock: Clock, mark: i64) -> Self {
        Self { history: Arc::new(history), clock, commits: watch::Sender::new(mark), counts: Arc::default() }
    }

    pub(crate) fn view(&self) -> View {
        let commits = self.commits.subscribe();
        View { history: self.history.clone(), commits, counts: self.counts.clone() }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
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
    pub(crate) fn tally(&self) -> Tally {
        let Counts { units, commits } = &*self.counts;
        Tally { units: units.load(Ordering::Relaxed), commits: commits.load(Ordering::Relaxed) }
    }
}
