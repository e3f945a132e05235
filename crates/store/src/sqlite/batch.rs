//! Group commit: the units that are queued run one after another and share one commit.
//!
//! A unit that refuses, panics or waits for something foreign is rolled back alone: to its savepoint, or where it is the
//! first, with the whole transaction, which then begins anew. A savepoint copies every page that its unit touches. What takes the transaction away from
//! under all of them (ON CONFLICT ROLLBACK, a full disk, an IO error, a write that is cut at its deadline) fails the
//! whole batch, which is then safe to retry. **Invariant:** nobody is told anything before the commit, refusals
//! included, since they may rest on what earlier units of the batch wrote.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context as Poller, Poll, Waker};
use std::time::{Duration, Instant};

use freehold_wire::Context;
use freehold_wire::pb::Token;

use super::errors;
use super::lane::Lane;
use super::replies::Replies;
use crate::engine;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::unit::{self, Job, Unit};
use crate::work::{Verdict, Work};

/// The most units that share a commit.
const MOST_UNITS: usize = 128;
/// The longest that a batch goes on taking units.
const MOST_TIME: Duration = Duration::from_millis(5);

const BEGIN: &str = "BEGIN IMMEDIATE /* the store's own */";
const COMMIT: &str = "COMMIT /* the store's own */";
const ROLLBACK: &str = "ROLLBACK /* the store's own */";
const OPEN_UNIT: &str = "SAVEPOINT freehold_unit /* the store's own */";
const KEEP_UNIT: &str = "RELEASE freehold_unit /* the store's own */";
const UNDO_UNIT: &str = "ROLLBACK TO freehold_unit /* the store's own */";

/// One transaction of many units.
pub(super) struct Batch<'a> {
    ledger: &'a Ledger,
    /// Lent to the unit that runs.
    lane: Option<Lane>,
    /// The last mark so far.
    mark: i64,
    most_time: Duration,
    /// How many units want the commit.
    kept: usize,
    /// The units that have run, and what each is told if the batch commits.
    done: Vec<(Box<dyn Unit>, Result<Token, StoreError>)>,
}

/// What a unit leaves behind.
enum Ran {
    /// The batch goes on; the last mark, or why the unit came to nothing.
    Alone(Result<i64, StoreError>),
    /// It took the batch with it.
    Ended(StoreError),
}

impl<'a> Batch<'a> {
    /// A batch on the writer's connection.
    pub(super) fn new(lane: Option<Lane>, ledger: &'a Ledger) -> Self {
        let mark = ledger.mark();
        Self { ledger, lane, mark, most_time: MOST_TIME, kept: 0, done: Vec::new() }
    }

    /// Runs `first` and what `next` gives, commits, and tells everybody. Answers the connection.
    pub(super) fn run(mut self, first: Job, next: impl FnMut() -> Option<Job>) -> Option<Lane> {
        let committed = self.fill(first, next).and_then(|()| self.control(COMMIT, errors::of_commit));
        if self.lane.as_ref().is_some_and(Lane::in_transaction) {
            // Where this fails too, the next BEGIN says so to whom it concerns.
            let _ = self.control(ROLLBACK, errors::of_statement);
        }
        if committed.is_ok() {
            self.ledger.committed(self.kept, self.mark);
        }
        Replies::new(committed, self.done).send();
        self.lane
    }

    fn fill(&mut self, first: Job, mut next: impl FnMut() -> Option<Job>) -> Result<(), StoreError> {
        let began = Instant::now();
        let begun = self.control(BEGIN, errors::of_statement);
        let mut job = Some(first);
        while let Some(Job { context, mut unit }) = job {
            let ran = match &begun {
                Ok(()) => self.run_unit(context, unit.as_mut()),
                Err(error) => Ran::Ended(error.clone()),
            };
            match ran {
                Ran::Alone(outcome) => {
                    self.mark = *outcome.as_ref().unwrap_or(&self.mark);
                    let outcome = outcome.map(|mark| self.ledger.history().token(mark));
                    self.done.push((unit, outcome));
                }
                Ran::Ended(error) => {
                    self.done.push((unit, Err(error.clone())));
                    return Err(errors::rolled_back(error));
                }
            }
            let room = self.done.len() < MOST_UNITS && began.elapsed() < self.most_time;
            job = if room { next() } else { None };
        }
        Ok(())
    }

    fn run_unit(&mut self, context: Context, unit: &mut dyn Unit) -> Ran {
        let deadline = context.deadline();
        if Instant::now() >= deadline {
            return Ran::Alone(Err(StoreError::DeadlineExceeded));
        }
        if context.cancellation().is_cancelled() {
            return Ran::Alone(Err(StoreError::Cancelled));
        }
        if !self.is_first()
            && let Err(error) = self.control(OPEN_UNIT, errors::of_statement)
        {
            return Ran::Ended(error);
        }
        let Some(lane) = self.lane.take() else { return Ran::Ended(StoreError::Closed) };
        lane.hold_to(deadline, Some(context.cancellation()));
        let lane = engine::Lane::Sqlite(lane);
        let mut work = Work::new(lane, self.ledger.service(), context, self.ledger.now(), self.mark);
        let handled = poll_once(unit, &mut work);
        let verdict = work.verdict(handled);
        let (lane, mark, failed) = work.into_parts();
        if let engine::Lane::Sqlite(lane) = lane {
            lane.release();
            self.lane = Some(lane);
        }
        self.end_unit(verdict, mark, failed)
    }

    /// Keeps or undoes what a unit wrote; the batch is lost where its transaction is gone or in doubt.
    fn end_unit(&mut self, verdict: Verdict, mark: i64, failed: Option<StoreError>) -> Ran {
        let gone = !self.lane.as_ref().is_some_and(Lane::in_transaction);
        if gone || failed.as_ref().is_some_and(errors::ends_batch) {
            return Ran::Ended(failed.unwrap_or(StoreError::RolledBack(None)));
        }
        self.kept += usize::from(matches!(verdict, Verdict::Commit));
        let (kept, outcome) = match verdict {
            Verdict::Commit => (true, Ok(mark)),
            Verdict::Refused => (false, Ok(self.mark)),
            Verdict::Failed(error) => (false, Err(error)),
        };
        let words: &[&'static str] = match (self.is_first(), kept) {
            (true, true) => &[],
            (true, false) => &[ROLLBACK, BEGIN],
            (false, true) => &[KEEP_UNIT],
            (false, false) => &[UNDO_UNIT, KEEP_UNIT],
        };
        let ended = words.iter().try_for_each(|words| self.control(words, errors::of_statement));
        ended.map_or_else(Ran::Ended, |()| Ran::Alone(outcome))
    }

    /// Whether the unit at hand has the transaction to itself so far.
    fn is_first(&self) -> bool {
        self.done.is_empty()
    }

    fn control(
        &self,
        words: &'static str,
        read: fn(rusqlite::Error) -> StoreError,
    ) -> Result<(), StoreError> {
        self.lane.as_ref().ok_or(StoreError::Closed)?.control(words).map_err(read)
    }
}

/// Runs a handler to its end on this thread. All that it may wait for is ready at once, so one poll has to do.
fn poll_once(unit: &mut dyn Unit, work: &mut Work) -> Result<bool, StoreError> {
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let mut handler = unit.run(work);
        handler.as_mut().poll(&mut Poller::from_waker(Waker::noop()))
    }));
    match polled {
        Ok(Poll::Ready(wants_commit)) => Ok(wants_commit),
        Ok(Poll::Pending) => Err(StoreError::ForeignAwait),
        Err(panic) => Err(StoreError::Panicked(unit::panic_text(&*panic))),
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
