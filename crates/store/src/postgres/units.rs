//! Units of work on PostgreSQL: many at a time on one thread of their own, since a handler may hold what no other thread
//! may see, each on its own connection in its own transaction.
//!
//! A unit's caller is told after a tick has seen its commit, since only then is there a mark for its token.
//! **Invariant:** a unit that has not been told anything has been rolled back, or its commit is on its way.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use freehold_wire::Context;
use freehold_wire::pb::Token;
use futures_util::FutureExt;
use futures_util::future::FusedFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::flight::{ABANDONED, Flight, IN_FLIGHT};
use super::lane::Lane;
use super::pool::Pool;
use super::ticker::{Asking, Ticker};
use crate::engine;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::queue::Order;
use crate::unit::{self, Job, Unit};
use crate::work::{Verdict, Work};

/// How far behind the deadline the server cuts by itself, should nobody ask it to.
const BACKSTOP: Duration = Duration::from_secs(1);
/// How long a commit may wait for a tick that sees it.
const TICK_BUDGET: Duration = Duration::from_secs(10);

/// What every unit needs.
pub(super) struct Units {
    pub(super) pool: Pool,
    pub(super) ledger: Arc<Ledger>,
    pub(super) ticks: Asking,
}

/// How a unit's transaction has ended.
enum Ended {
    Committed,
    Refused,
}

/// The words that begin a transaction that the server gives up soon after the deadline, whether a statement runs or whoever
/// began it has stopped: others may wait for the keys that it has locked.
pub(super) fn begin_words(begin: &str, deadline: Instant) -> String {
    let left = deadline.saturating_duration_since(Instant::now()) + BACKSTOP;
    let left = left.as_millis().min(i32::MAX as u128);
    format!(
        "{begin}; SET LOCAL statement_timeout = {left}; SET LOCAL idle_in_transaction_session_timeout = {left}"
    )
}

impl Units {
    /// Runs units until the store is closed, its last handle is dropped, or the database was set back.
    pub(super) async fn serve(self, mut orders: mpsc::Receiver<Order>, ticker: Ticker) {
        let mut ticking = tokio::task::spawn_local(ticker.run()).fuse();
        let (units, mut running) = (Rc::new(self), JoinSet::new());
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                _ = &mut ticking => Some(Order::Close),
                Some(_) = running.join_next() => continue,
            };
            match order {
                Some(Order::Run(job)) => units.clone().start(*job, &mut running).await,
                Some(Order::Close) => orders.close(),
                None => break,
            }
        }
        while running.join_next().await.is_some() {}
        units.pool.close().await;
        units.ticks.end();
        if !ticking.is_terminated() {
            let _ = ticking.await;
        }
    }

    async fn start(self: Rc<Self>, job: Job, running: &mut JoinSet<()>) {
        let Job { context, mut unit } = job;
        let place = match self.pool.place(context.deadline()).await {
            Ok(place) => place,
            Err(error) => return unit.settle(Err(error)),
        };
        running.spawn_local(async move {
            let ended = self.run(context, unit.as_mut()).await;
            // Another unit may run while this one waits for its tick.
            drop(place);
            let outcome = match ended {
                Ok(Ended::Committed) => self.cover().await,
                Ok(Ended::Refused) => Ok(self.ledger.token()),
                Err(error) => Err(error),
            };
            unit.settle(outcome);
        });
    }

    /// A token that covers the commit that has just been made.
    async fn cover(&self) -> Result<Token, StoreError> {
        let covered = tokio::time::timeout(TICK_BUDGET, self.ticks.cover()).await;
        let covered = covered.unwrap_or(Err(StoreError::DeadlineExceeded));
        covered.map_err(|error| StoreError::CommitUnknown(Arc::new(error)))
    }

    async fn run(&self, context: Context, unit: &mut dyn Unit) -> Result<Ended, StoreError> {
        if self.ticks.is_over() {
            return Err(StoreError::Closed);
        }
        let deadline = context.deadline();
        if Instant::now() >= deadline {
            return Err(StoreError::DeadlineExceeded);
        }
        if context.cancellation().is_cancelled() {
            return Err(StoreError::Cancelled);
        }
        let link = self.pool.begin(&begin_words("BEGIN", deadline), deadline).await?;
        let mut lane = Lane::new(link, self.pool.clone(), deadline);
        lane.end_with(context.cancellation().clone());
        let flight = lane.flight();
        let mark = self.ledger.mark();
        let lane = engine::Lane::Postgres(lane);
        let mut work = Work::new(lane, self.ledger.service(), context, self.ledger.now(), mark);
        let mut handled = handle(unit, &mut work, &flight).await;
        if let Ok(true) = handled {
            handled = work.flush().await.map(|()| true);
        }
        let verdict = work.verdict(handled);
        let engine::Lane::Postgres(lane) = work.into_parts().0 else { return Err(StoreError::Closed) };
        if let Verdict::Commit = verdict {
            lane.commit().await?;
            self.ledger.committed(1, mark);
            return Ok(Ended::Committed);
        }
        lane.roll_back().await;
        match verdict {
            Verdict::Failed(error) => Err(error),
            _ => Ok(Ended::Refused),
        }
    }
}

/// Runs a handler to its end. It may wait for its statements and for nothing else.
async fn handle(unit: &mut dyn Unit, work: &mut Work, flight: &Flight) -> Result<bool, StoreError> {
    let mut handler = pin!(AssertUnwindSafe(unit.run(work)).catch_unwind());
    let handled = std::future::poll_fn(|poller| match handler.as_mut().poll(poller) {
        Poll::Ready(Ok(wants_commit)) => Poll::Ready(Ok(wants_commit)),
        Poll::Ready(Err(panic)) => Poll::Ready(Err(StoreError::Panicked(unit::panic_text(&*panic)))),
        Poll::Pending if flight.is(IN_FLIGHT) => Poll::Pending,
        Poll::Pending => Poll::Ready(Err(StoreError::ForeignAwait)),
    });
    match handled.await {
        // It dropped a statement before its answer: for something else that it waited for at the same time.
        Ok(_) if flight.is(ABANDONED) => Err(StoreError::ForeignAwait),
        handled => handled,
    }
}
