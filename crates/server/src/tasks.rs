//! The tasks of a server: its connections and the calls on them, so that none of them outlives it.
//!
//! They are told twice to end: once to finish what they have begun, and after the grace to stop where they are.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of a server. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    running: TaskTracker,
    finish: CancellationToken,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task; it is dropped where it is when it has not ended with the grace.
    pub(crate) fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.running.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Begins work that whoever asked for it ends.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.running.spawn(work)
    }

    /// Comes when what has begun should be finished and nothing new begun.
    pub(crate) async fn finishing(&self) {
        self.finish.cancelled().await;
    }

    /// Ends all tasks: what is not finished within `grace` is dropped.
    pub(crate) async fn end(&self, grace: Duration) {
        self.finish.cancel();
        self.running.close();
        if tokio::time::timeout(grace, self.running.wait()).await.is_ok() {
            return;
        }
        tracing::info!(left = self.running.len(), "the grace is over, calls are cut off");
        self.stop.cancel();
        // A dropped task ends at once, unless its handler blocks its thread; that must not hold up the others.
        if tokio::time::timeout(grace, self.running.wait()).await.is_err() {
            tracing::warn!(left = self.running.len(), "a handler blocks its thread and is left behind");
        }
    }
}
