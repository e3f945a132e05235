//! Units of work on PostgreSQL: many at a time on one thread of their own, since a handler may hold what no other thread
//! may see, each on its own connection in its own transaction.
//!
//! **Invariant:** a unit that has not been told anything has been rolled back, or its commit is on its way.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use freehold_wire::Context;
use freehold_wire::pb::Token;
use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::flight::{ABANDONED, Flight, IN_FLIGHT};
use super::lane::Lane;
use super::pool::{Link, Pool};
use crate::engine;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::queue::Order;
use crate::unit::{self, Job, Unit};
use crate::work::{Verdict, Work};

/// How far behind the deadline the server cuts by itself, should nobody ask it to.
const BACKSTOP: Duration = Duration::from_secs(1);

/// What every unit needs.
pub(super) struct Units {
    pub(super) pool: Pool,
    pub(super) ledger: Ledger,
    /// The connection that holds the owner's lock; as many units run at a time as the pool has places.
    pub(super) owner: Link,
    pub(super) most: usize,
}

/// The words that begin a transaction whose statements the server gives up soon after the deadline.
pub(super) fn begin_words(begin: &str, deadline: Instant) -> String {
    let left = deadline.saturating_duration_since(Instant::now()) + BACKSTOP;
    format!("{begin}; SET LOCAL statement_timeout = {}", left.as_millis().min(i32::MAX as u128))
}

impl Units {
    /// Runs units until the store is closed or its last handle is dropped.
    pub(super) async fn serve(self, mut orders: mpsc::Receiver<Order>) {
        let units = Rc::new(self);
        while let Some(order) = orders.recv().await {
            match order {
                Order::Run(job) => units.clone().start(*job).await,
                Order::Close => orders.close(),
            }
        }
        // All places are free when all units have ended.
        units.pool.all_places(units.most).await;
        units.pool.close().await;
        if let Ok(units) = Rc::try_unwrap(units) {
            units.owner.close().await;
        }
    }

    async fn start(self: Rc<Self>, job: Job) {
        let Job { context, mut unit } = job;
        let place = match self.pool.place(context.deadline()).await {
            Ok(place) => place,
            Err(error) => return unit.settle(Err(error)),
        };
        tokio::task::spawn_local(async move {
            let outcome = self.run(context, unit.as_mut()).await;
            unit.settle(outcome);
            drop(place);
        });
    }

    async fn run(&self, context: Context, unit: &mut dyn Unit) -> Result<Token, StoreError> {
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
        let mut work = Work::new(lane, self.ledger.history.clone(), context, self.ledger.now(), mark);
        let handled = handle(unit, &mut work, &flight).await;
        let verdict = work.verdict(handled);
        let (lane, mark, _) = work.into_parts();
        let engine::Lane::Postgres(lane) = lane else { return Err(StoreError::Closed) };
        self.end(lane, verdict, mark).await
    }

    async fn end(&self, lane: Lane, verdict: Verdict, mark: i64) -> Result<Token, StoreError> {
        if let Verdict::Commit = verdict {
            lane.commit().await?;
            self.ledger.committed(1, mark);
            return Ok(self.ledger.history.token(mark));
        }
        lane.roll_back().await;
        match verdict {
            Verdict::Failed(error) => Err(error),
            _ => Ok(self.ledger.history.token(mark)),
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
