//! The body of an answer: a stream ends at its deadline, which is its greatest age, or when the server ends and it has
//! nothing to say; a panic in it ends it alone.
//!
//! **Invariant:** a body that does not end well ends with typed trailers, so that a caller never has to guess.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use freehold_wire::Reason;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::sleep_until;
use tonic::Status;
use tonic::body::Body;

use crate::meter::CallRecord;
use crate::tasks::Tasks;
use crate::{contained, typed};

/// A body that ends well, and in time.
pub(crate) struct Bounded {
    /// `None` once it has ended; what it held is dropped then, not when the peer has read it.
    inner: Option<Body>,
    /// A stream's greatest age. An answer of one message is whole when it gets here: it is not cut.
    deadline: Option<Instant>,
    tasks: Tasks,
    /// What is told how it ends.
    record: CallRecord,
    /// What ends it while it has nothing to say; made when that first happens, which for a single message is never.
    end: Option<BoxFuture<'static, Status>>,
}

impl Bounded {
    pub(crate) fn new(inner: Body, deadline: Option<Instant>, tasks: Tasks, record: CallRecord) -> Self {
        Self { inner: Some(inner), deadline, tasks, record, end: None }
    }

    /// A body that always has something to send would outlive a timer that is only asked when it has not.
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Comes with the end of a stream that waits.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Status> {
        let (deadline, tasks) = (self.deadline, &self.tasks);
        let end = self.end.get_or_insert_with(|| {
            let tasks = tasks.clone();
            Box::pin(async move {
                tokio::select! {
                    () = at(deadline) => too_old(),
                    () = tasks.finishing() => ending(),
                }
            })
        });
        end.as_mut().poll(context)
    }

    fn end(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.inner = None;
        self.record.refused(status);
        let mut trailers = HeaderMap::new();
        if let Err(unfit) = status.add_header(&mut trailers) {
            return Poll::Ready(Some(Err(unfit)));
        }
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.inner.is_some() && self.is_late() {
            return self.end(&too_old());
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        match catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(context))) {
            Err(panic) => self.end(&contained::status(&*panic)),
            Ok(Poll::Pending) => match self.poll_end(context) {
                Poll::Ready(status) => self.end(&status),
                Poll::Pending => Poll::Pending,
            },
            Ok(Poll::Ready(Some(Ok(mut frame)))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    self.record.answered(trailers);
                    typed::retype(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(ended) => ended,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

fn too_old() -> Status {
    Reason::DeadlineExceeded.because("STREAM_TOO_OLD", "the stream has reached its greatest age")
}

fn ending() -> Status {
    Reason::Unavailable.because("ENDING", "the server is ending; the stream can be resumed elsewhere")
}
