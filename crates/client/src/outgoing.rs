//! The caller's stream on its way out: it can be offered to several attempts, and one of them takes it.
//!
//! Until an attempt has a connection it asks for no message, so a stream survives every attempt that never had one.
//! **Invariant:** what one attempt has taken, no other attempt sees.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use prost::Message;

/// A stream that no attempt has taken yet.
#[derive(Clone)]
pub(crate) struct Unsent(Arc<Mutex<Option<BoxStream<'static, Bytes>>>>);

/// What one attempt sends: it takes the stream when it is first asked for a message, which is when it has a connection.
pub(crate) struct Offered {
    unsent: Unsent,
    taken: Option<BoxStream<'static, Bytes>>,
}

impl Unsent {
    /// The encoded messages of `requests`. One over the limit is for the callee to refuse.
    pub(crate) fn new<Request: Message>(requests: impl Stream<Item = Request> + Send + 'static) -> Self {
        let encoded = requests.map(|request| Bytes::from(request.encode_to_vec()));
        Self(Arc::new(Mutex::new(Some(encoded.boxed()))))
    }

    /// Offers the stream to an attempt.
    pub(crate) fn offer(&self) -> Offered {
        Offered { unsent: self.clone(), taken: None }
    }

    /// Whether a further attempt would find the stream as it was.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn take(&self) -> Option<BoxStream<'static, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Stream for Offered {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.taken.is_none() {
            self.taken = self.unsent.take();
        }
        match &mut self.taken {
            Some(messages) => messages.poll_next_unpin(context),
            None => Poll::Ready(None),
        }
    }
}
