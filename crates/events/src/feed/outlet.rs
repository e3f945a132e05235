//! The way from a pump to its subscriber: a channel that is full by messages or by bytes, whichever is first.
//!
//! What waits here waits in memory, for a subscriber that may never read. **Invariant:** the bytes that wait are at most
//! what was given, or one message that is larger.

use std::sync::Arc;

use freehold_wire::pb::SubscribeResponse;
use freehold_wire::pb::subscribe_response::Item;
use futures_util::{Stream, StreamExt};
use prost::Message;
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

type Sent = Result<SubscribeResponse, Status>;

/// The pump's end.
pub(crate) struct Outlet {
    waiting: Sender<(Sent, Option<OwnedSemaphorePermit>)>,
    room: Arc<Semaphore>,
    bytes: u32,
}

/// The subscriber went away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// A way on which at most so many messages wait, of at most so many bytes together.
pub(crate) fn outlet(messages: usize, bytes: u32) -> (Outlet, impl Stream<Item = Sent> + Send + 'static) {
    let (waiting, arriving) = mpsc::channel(messages);
    let room = Arc::new(Semaphore::new(bytes as usize));
    // Its room is free again once a message has been taken.
    let taken = ReceiverStream::new(arriving).map(|(sent, _room)| sent);
    (Outlet { waiting, room, bytes }, taken)
}

impl Outlet {
    /// Sends an item as soon as there is room. One that is larger than all of the room waits until nothing else does.
    pub(crate) async fn send(&self, item: Item) -> Result<(), Gone> {
        let response = SubscribeResponse::default().with_item(item);
        let size = u32::try_from(response.encoded_len()).unwrap_or(u32::MAX).min(self.bytes);
        // With the subscriber goes what waits for it, and so there is room.
        let room = Arc::clone(&self.room).acquire_many_owned(size).await.map_err(|_| Gone)?;
        self.waiting.send((Ok(response), Some(room))).await.map_err(|_| Gone)
    }

    /// Ends with an error, if there is room for it: whoever has a full channel has a subscriber that reads no more.
    pub(crate) fn fail(&self, status: Status) {
        let _ = self.waiting.try_send((Err(status), None));
    }

    /// Whether the subscriber went away.
    pub(crate) fn is_closed(&self) -> bool {
        self.waiting.is_closed()
    }

    /// Waits until it does.
    pub(crate) async fn closed(&self) {
        self.waiting.closed().await;
    }
}
