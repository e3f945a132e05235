//! What a channel keeps between its calls: the budget of its retries, the purses of its hedges, and how many calls there
//! are.
//!
//! **Invariant:** a hedge is paid for twice, out of its method's purse and out of the budget of all retries.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::policy::budget::Budget;
use crate::policy::hedge::Hedge;
use crate::policy::retry::{Attempts, Failed, Next};

/// The most calls that wait for one service at once: the bulkhead. What hangs holds no more of this process than that.
pub(crate) const MOST_CALLS: usize = 4096;

/// What a channel keeps between its calls.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Books {
    budget: Budget,
    hedges: HashMap<&'static str, Box<Hedge>>,
    random: fastrand::Rng,
}

/// A call that waits, counted.
#[derive(Debug)]
pub(crate) struct Admitted<'a>(&'a AtomicUsize);

impl Ledger {
    /// Lets a call in; `None` where too many wait already.
    pub(crate) fn admit(&self) -> Option<Admitted<'_>> {
        let admitted = Admitted(&self.waiting);
        (self.waiting.fetch_add(1, Ordering::Relaxed) < MOST_CALLS).then_some(admitted)
    }

    /// A call begins; for a hedged `read`, how long its first attempt is waited for.
    pub(crate) fn begin(&self, read: Option<&'static str>, now: Instant) -> Option<Duration> {
        let mut books = self.lock();
        books.budget.deposit(now);
        read.and_then(|method| books.hedges.entry(method).or_default().begin())
    }

    /// Whether a read may be asked a second time.
    pub(crate) fn may_hedge(&self, read: &'static str, now: Instant) -> bool {
        let books = &mut *self.lock();
        books.hedges.entry(read).or_default().withdraw() && books.budget.withdraw(now)
    }

    /// A read was answered, or was without an answer for as long.
    pub(crate) fn took(&self, read: &'static str, took: Duration) {
        self.lock().hedges.entry(read).or_default().took(took);
    }

    /// What follows a failed attempt.
    pub(crate) fn after(
        &self,
        attempts: &mut Attempts,
        failed: Failed,
        left: Duration,
        now: Instant,
    ) -> Next {
        let books = &mut *self.lock();
        let chance = books.random.f64();
        attempts.after(failed, left, &mut books.budget, now, chance)
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
