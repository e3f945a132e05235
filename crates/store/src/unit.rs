//! A unit of work on its way to an engine: the handler, and who waits for its result.
//!
//! The engine sees it without its types: it runs the handler, ends the transaction, and settles it. Errors become the
//! handler's own type on the caller's side. **Invariant:** a result leaves only through `settle`, after the commit.

use std::any::Any;
use std::sync::Arc;

use freehold_wire::Context;
use freehold_wire::pb::Token;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::work::Work;

/// A unit that waits for its turn.
pub(crate) struct Job {
    pub(crate) context: Context,
    pub(crate) unit: Box<dyn Unit>,
}

/// A unit without its types.
pub(crate) trait Unit: Send {
    /// Runs the handler, once; answers whether it wants the commit.
    fn run<'a>(&'a mut self, work: &'a mut Work) -> LocalBoxFuture<'a, bool>;

    /// Tells the caller: what the handler made of it, or why it came to nothing.
    fn settle(self: Box<Self>, outcome: Result<Token, StoreError>);
}

/// What a caller gets: the handler's result under the token of the commit that it rests on.
pub(crate) type Settled<T, E> = Result<(Result<T, E>, Token), StoreError>;

struct Typed<F, T, E> {
    handler: Option<F>,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Settled<T, E>>,
}

/// Makes a job of a handler.
pub(crate) fn job<F, T, E>(context: Context, handler: F) -> (Job, oneshot::Receiver<Settled<T, E>>)
where
    F: AsyncFnOnce(&mut Work) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let (caller, settled) = oneshot::channel();
    let unit = Box::new(Typed { handler: Some(handler), result: None, caller });
    (Job { context, unit }, settled)
}

impl<F, T, E> Unit for Typed<F, T, E>
where
    F: AsyncFnOnce(&mut Work) -> Result<T, E> + Send,
    T: Send,
    E: Send,
{
    fn run<'a>(&'a mut self, work: &'a mut Work) -> LocalBoxFuture<'a, bool> {
        let Some(handler) = self.handler.take() else { return std::future::ready(false).boxed_local() };
        async move {
            let result = handler(work).await;
            self.result.insert(result).is_ok()
        }
        .boxed_local()
    }

    fn settle(self: Box<Self>, outcome: Result<Token, StoreError>) {
        let settled = match (outcome, self.result) {
            (Ok(token), Some(result)) => Ok((result, token)),
            (Ok(_), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // A caller that went away does not stop a unit; its idempotency key tells it what became of it.
        let _ = self.caller.send(settled);
    }
}

/// What a caller makes of an engine that has ended without a word, which none does unless its thread has died.
pub(crate) fn unanswered() -> StoreError {
    StoreError::CommitUnknown(Arc::new(std::io::Error::other("the engine ended before it answered")))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
