//! Sends the caller's stream beside the answer, as fast as the peer takes it.
//!
//! **Invariant:** it ends with its call: when the answer is dropped, nothing more is asked of the caller's stream.

use std::future::poll_fn;

use bytes::Bytes;
use futures_util::StreamExt;
use h2::SendStream;
use tokio::task::JoinHandle;

use crate::codec::framed;
use crate::outgoing::Offered;

/// A task that sends; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pump(JoinHandle<()>);

impl Pump {
    /// Sends what `offered` gives over `stream`.
    pub(crate) fn start(stream: SendStream<Bytes>, offered: Offered) -> Self {
        Self(tokio::spawn(async move {
            // What breaks here breaks the answer, which says why.
            let _broken = send(stream, offered).await;
        }))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn send(mut stream: SendStream<Bytes>, mut offered: Offered) -> Result<(), h2::Error> {
    while let Some(message) = offered.next().await {
        // A message goes out in one piece as soon as there is room for a part of it; h2 cuts it to size.
        stream.reserve_capacity(message.len().max(1));
        while stream.capacity() == 0 {
            match poll_fn(|context| stream.poll_capacity(context)).await {
                Some(granted) => drop(granted?),
                None => return Ok(()),
            }
        }
        stream.send_data(framed(&message), false)?;
    }
    stream.send_data(Bytes::new(), true)
}
