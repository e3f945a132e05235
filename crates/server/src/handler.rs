//! A handler at work: in a task of its own, so that the end of its call is seen while it holds its thread.
//!
//! In: the work, and the call's flag. Out: its answer. **Invariant:** whoever drops this has ended the work: it is told by
//! the flag, where it looks at that, and stopped at its next await.

use std::pin::Pin;
use std::task::{Context as Poller, Poll, ready};

use freehold_wire::{Cancellation, Reason};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::tasks::Tasks;

/// A handler at work.
pub(crate) struct Handler<Answer> {
    task: JoinHandle<Answer>,
    cancellation: Cancellation,
    answered: bool,
}

impl<Answer: Send + 'static> Handler<Answer> {
    /// Starts the work of a call.
    pub(crate) fn start(
        tasks: &Tasks,
        cancellation: Cancellation,
        work: impl Future<Output = Answer> + Send + 'static,
    ) -> Self {
        Self { task: tasks.begin(work), cancellation, answered: false }
    }
}

impl<Answer> Future for Handler<Answer> {
    type Output = Result<Answer, Status>;

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.task).poll(poller));
        self.answered = true;
        // Its panics are its own; nothing else ends a task but the end of the runtime.
        Poll::Ready(answer.map_err(|_| Reason::Unavailable.status("the server has ended")))
    }
}

impl<Answer> Drop for Handler<Answer> {
    fn drop(&mut self) {
        if !self.answered {
            self.cancellation.cancel();
            self.task.abort();
        }
    }
}
