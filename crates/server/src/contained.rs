//! A panic stays within the call that it happened in.
//!
//! Its text stays in the log: a panic's message may hold a value that the caller must not see. Streams come here too,
//! when one of their messages panics.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use freehold_wire::Reason;
use futures_util::FutureExt;
use tonic::Status;

/// Runs `work`; its panic becomes INTERNAL, without the panic's text, which may hold anything.
///
/// What a panicking handler leaves half-done is its own: it holds a unit of work, which rolls back when dropped.
pub(crate) async fn contained<Answer>(work: impl Future<Output = Answer>) -> Result<Answer, Status> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| status(&*panic))
}

/// The answer of a call whose handler panicked.
pub(crate) fn status(panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    tracing::error!(panic = text, "a handler panicked");
    Reason::Internal.because("PANIC", "the handler panicked")
}
