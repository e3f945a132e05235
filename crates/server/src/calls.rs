//! The calls of one connection: each runs in a task of its own, and the connection knows whether there are any.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::limits::{IDLE, IDLE_WHERE_SCARCE};
use crate::places::Places;
use crate::tasks::Tasks;

/// The calls of one connection. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    tasks: Tasks,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// Counts the end of a call however it comes.
struct Ending(Arc<Counts>);

impl Calls {
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self { tasks, counts: Arc::default() }
    }

    /// Comes when the connection has had no call for so long that its place is better given to another.
    pub(crate) async fn lapse(&self, places: &Places) {
        let (mut since, mut seen) = (Instant::now(), 0);
        loop {
            sleep(IDLE_WHERE_SCARCE).await;
            let (ended, begun) =
                (self.counts.ended.load(Ordering::Acquire), self.counts.begun.load(Ordering::Acquire));
            if begun != seen || ended != begun {
                (since, seen) = (Instant::now(), begun);
            } else if is_over(since.elapsed(), places.are_scarce()) {
                return;
            }
        }
    }
}

fn is_over(idle: Duration, scarce: bool) -> bool {
    idle >= if scarce { IDLE_WHERE_SCARCE } else { IDLE }
}

impl<F: Future + Send + 'static> hyper::rt::Executor<F> for Calls {
    fn execute(&self, call: F) {
        self.counts.begun.fetch_add(1, Ordering::AcqRel);
        let ending = Ending(self.counts.clone());
        self.tasks.start(async move {
            let _ending = ending;
            call.await;
        });
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}
