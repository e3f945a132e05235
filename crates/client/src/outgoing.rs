//! The caller's stream on its way out: it is offered to one attempt after another, and one of them takes it.
//!
//! Until an attempt has a connection it asks for no message, so a stream survives every attempt that never had one.
//! **Invariant:** what one attempt has taken, no other attempt sees; an attempt that is over takes nothing.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use prost::Message;

/// A stream that no attempt has taken yet.
#[derive(Clone)]
pub(crate) struct Unsent(Arc<Mutex<State>>);

struct State {
    messages: Option<BoxStream<'static, Bytes>>,
    offers: u32,
}

/// What one attempt sends: it takes the stream when it is first asked for a message, which is when it has a connection.
pub(crate) struct Offered {
    unsent: Unsent,
    offer: u32,
    taken: Option<BoxStream<'static, Bytes>>,
}

impl Unsent {
    /// The encoded messages of `requests`. One over the limit is for the callee to refuse.
    pub(crate) fn new<Request: Message>(requests: impl Stream<Item = Request> + Send + 'static) -> Self {
        let encoded = requests.map(|request| Bytes::from(request.encode_to_vec()));
        Self(Arc::new(Mutex::new(State { messages: Some(encoded.boxed()), offers: 0 })))
    }

    /// Offers the stream to an attempt; earlier ones no longer get it.
    pub(crate) fn offer(&self) -> Offered {
        let mut state = self.lock();
        state.offers += 1;
        Offered { unsent: self.clone(), offer: state.offers, taken: None }
    }

    /// Takes the offers back; whether a further attempt finds the stream as it was.
    pub(crate) fn is_whole(&self) -> bool {
        let mut state = self.lock();
        state.offers += 1;
        state.messages.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for Offered {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.taken.is_none() {
            let mut state = self.unsent.lock();
            let taken = if state.offers == self.offer { state.messages.take() } else { None };
            drop(state);
            self.taken = taken;
        }
        match &mut self.taken {
            Some(messages) => messages.poll_next_unpin(context),
            None => Poll::Ready(None),
        }
    }
}
