//! The consumer's end of a feed: one open stream, in batches, with what it says about freshness.
//!
//! Views and replicas read a feed through this alone, whether its owner is in the same process or not.
//! **Invariant:** a batch is what the owner sent, in its order; its position is never ahead of its events.

use std::time::{Duration, Instant};

use backoff::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use freehold_client::{Error, FeedClient, Messages};
use freehold_wire::Shares;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    AckRequest, Envelope, Epoch, HeadRequest, HeadResponse, Heartbeat, Position, SubscribeRequest,
    SubscribeResponse,
};
use futures_util::FutureExt;
use tokio::time::timeout;

use crate::clock::OwnerClock;

/// The reason of an owner that does not know a position: its history is another one.
pub const HISTORY_LOST: &str = "HISTORY_LOST";
/// The reason of a stream that is wanted from where the owner keeps no events any more.
pub const POSITION_PURGED: &str = "POSITION_PURGED";

/// How many intervals of silence mean that a stream is dead.
const SILENT_INTERVALS: u32 = 3;
/// The intervals that an owner is believed to keep.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
const GREATEST_INTERVAL: Duration = Duration::from_secs(60);
/// The interval of an owner that names none.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// A batch that has so many bytes of data takes no further event. With the largest of events it holds twice as many.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long a stream may take to open.
const OPENING: Duration = Duration::from_secs(5);

/// One subscription's way to its owner's feed.
#[derive(Debug, Clone)]
pub struct Link {
    feed: FeedClient,
    subscription: String,
    types: Vec<String>,
}

/// An open stream.
#[derive(Debug)]
pub struct Arrivals {
    messages: Messages<SubscribeResponse>,
    epochs: Vec<Epoch>,
    silence: Duration,
    clock: OwnerClock,
    over: Option<LinkError>,
}

/// What has arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The events, in the owner's order.
    pub events: Vec<Envelope>,
    /// Everything up to here has arrived.
    pub position: Position,
    /// When the owner stood there, by this machine's clock.
    pub as_of: Instant,
}

/// Why a stream ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// The owner's history is not the one that this subscription read from: it was restored, or replaced.
    #[error("the owner's history is another one than the one read so far: {0}")]
    HistoryLost(String),
    /// The owner has purged events up to this mark, and what begins here needs every one.
    #[error(
        "the owner no longer keeps its events up to position {0}, and a view of the rest would lack them"
    )]
    Purged(i64),
    /// The owner has purged what comes next.
    #[error("the owner no longer keeps what comes next: {0}")]
    PositionPurged(String),
    /// The feed refused the call or broke off.
    #[error(transparent)]
    Feed(#[from] Error),
    /// Not even a heartbeat came.
    #[error("the feed was silent for {0:?}")]
    Silent(Duration),
    /// The stream broke the rules of a feed.
    #[error("the feed sent {0}")]
    Protocol(&'static str),
    /// The owner ended the stream; it goes on at the position.
    #[error("the feed ended the stream")]
    Ended,
}

impl Link {
    /// The way of the subscription `name` to a feed, for these types.
    #[must_use]
    pub fn new(feed: FeedClient, name: &str, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { feed, subscription: name.to_owned(), types: types.into_iter().map(Into::into).collect() }
    }

    /// The feed itself.
    #[must_use]
    pub fn feed(&self) -> &FeedClient {
        &self.feed
    }

    /// The owner's head and epochs.
    ///
    /// # Errors
    /// [`LinkError::Feed`].
    pub async fn head(&self) -> Result<HeadResponse, LinkError> {
        Ok(self.feed.head(HeadRequest::default()).await?)
    }

    /// The same, and up to where the owner keeps nothing any more.
    ///
    /// # Errors
    /// [`LinkError::Feed`].
    pub async fn kept(&self) -> Result<HeadResponse, LinkError> {
        Ok(self.feed.head(HeadRequest::default().with_kept(true)).await?)
    }

    /// Asks whether the owner keeps every event from the first on.
    ///
    /// # Errors
    /// [`LinkError::Purged`] where it does not, [`LinkError::Feed`] where it does not say.
    pub async fn is_whole(&self) -> Result<(), LinkError> {
        self.kept().await?.purged_to.map_or(Ok(()), |to| Err(LinkError::Purged(to.mark)))
    }

    /// Opens a stream of everything after a position; `None`: from the oldest kept event. Registers the subscription.
    ///
    /// # Errors
    /// [`LinkError`]; what was learned by then is the owner's refusal or its silence.
    pub async fn open(&self, after: Option<Position>) -> Result<Arrivals, LinkError> {
        self.open_for(after, Shares::ALL).await
    }

    /// The same for the keys of these shares alone.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_for(&self, after: Option<Position>, shares: Shares) -> Result<Arrivals, LinkError> {
        let mut request = SubscribeRequest::default()
            .with_subscription(self.subscription.as_str())
            .with_types(self.types.iter().map(String::as_str));
        if shares != Shares::ALL {
            request = request.with_shares(shares.bits());
        }
        request.after = after;
        timeout(OPENING, self.opened(request)).await.map_err(|_| LinkError::Silent(OPENING))?
    }

    async fn opened(&self, request: SubscribeRequest) -> Result<Arrivals, LinkError> {
        let mut messages = self.feed.subscribe(request).await.map_err(refusal)?;
        let first = messages.next().await.ok_or(LinkError::Ended)?.map_err(refusal)?;
        let Some(Item::Heartbeat(heartbeat)) = first.item else {
            return Err(LinkError::Protocol("an event before its first heartbeat"));
        };
        let clock = OwnerClock::new(Instant::now(), heartbeat.time.unwrap_or_default());
        let silence = interval_of(&heartbeat) * SILENT_INTERVALS;
        Ok(Arrivals { messages, epochs: heartbeat.epochs, silence, clock, over: None })
    }

    /// Tells the owner that everything up to the position has taken effect.
    ///
    /// # Errors
    /// [`LinkError::Feed`]; the next acknowledgement makes up for it.
    pub async fn ack(&self, position: Position) -> Result<(), LinkError> {
        let request =
            AckRequest::default().with_subscription(self.subscription.as_str()).with_position(position);
        self.feed.ack(request).await?;
        Ok(())
    }
}

impl Arrivals {
    /// The owner's epochs when the stream opened, oldest first.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Waits for what comes next and takes what has come with it, at most `most` events, and of large ones fewer.
    /// Cancelling loses nothing.
    ///
    /// # Errors
    /// [`LinkError`]; the stream is over then.
    pub async fn next(&mut self, most: usize) -> Result<Batch, LinkError> {
        if let Some(over) = self.over.take() {
            return Err(over);
        }
        let first = timeout(self.silence, self.messages.next()).await;
        let mut item = first.map_err(|_| LinkError::Silent(self.silence))?.ok_or(LinkError::Ended)??;
        let mut arrived = Arriving::default();
        loop {
            arrived.add(item, &mut self.clock)?;
            if arrived.events.len() >= most || arrived.bytes >= BATCH_BYTES {
                break;
            }
            item = match self.messages.next().now_or_never() {
                Some(Some(Ok(next))) => next,
                None => break,
                // What came before the end counts; the end is for the next call.
                Some(Some(Err(error))) => return self.last(arrived, LinkError::Feed(error)),
                Some(None) => return self.last(arrived, LinkError::Ended),
            };
        }
        arrived.batch()
    }

    /// The stream of an owner that is there, for a test that is not about silence: a machine may stand still for longer than
    /// an owner's interval.
    #[cfg(test)]
    pub(crate) fn patient(self) -> Self {
        Self { silence: crate::fixture::SOON, ..self }
    }

    fn last(&mut self, arrived: Arriving, over: LinkError) -> Result<Batch, LinkError> {
        self.over = Some(over);
        arrived.batch()
    }
}

/// How often a stream is to say something that began with this heartbeat.
pub(crate) fn interval_of(opening: &Heartbeat) -> Duration {
    let named = opening.interval.and_then(|interval| interval.try_into().ok());
    named.unwrap_or(DEFAULT_INTERVAL).clamp(LEAST_INTERVAL, GREATEST_INTERVAL)
}

/// The waits between attempts to reach an owner: from 50 ms, doubling to 5 s, lengthened by chance, without an end.
#[must_use]
pub fn reconnects() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
        .build()
}

/// A batch that is being put together.
#[derive(Default)]
struct Arriving {
    events: Vec<Envelope>,
    /// Of the events' data.
    bytes: usize,
    last: Option<(Position, Instant)>,
}

impl Arriving {
    fn add(&mut self, message: SubscribeResponse, clock: &mut OwnerClock) -> Result<(), LinkError> {
        let now = Instant::now();
        match message.item {
            Some(Item::Event(event)) => {
                let position = event.position.ok_or(LinkError::Protocol("an event without a position"))?;
                self.last = Some((position, clock.at(now, event.time.unwrap_or_default())));
                self.bytes += event.data.as_ref().map_or(0, Vec::len);
                self.events.push(event);
            }
            Some(Item::Heartbeat(Heartbeat { position: Some(position), time, .. })) => {
                self.last = Some((position, clock.heard(now, time.unwrap_or_default())));
            }
            _ => return Err(LinkError::Protocol("neither an event nor a heartbeat")),
        }
        Ok(())
    }

    fn batch(self) -> Result<Batch, LinkError> {
        let (position, as_of) = self.last.ok_or(LinkError::Protocol("nothing"))?;
        Ok(Batch { events: self.events, position, as_of })
    }
}

fn refusal(error: Error) -> LinkError {
    if error.reason() == HISTORY_LOST {
        return LinkError::HistoryLost(error.message().to_owned());
    }
    if error.reason() == POSITION_PURGED {
        return LinkError::PositionPurged(error.message().to_owned());
    }
    LinkError::Feed(error)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use freehold_client::{CallOptions, FeedStub};
    use futures_util::stream;

    use super::*;

    /// An owner of which everything has arrived already: events with data of so many bytes.
    #[derive(Debug)]
    struct Arrived(Vec<usize>);

    #[async_trait]
    impl FeedStub for Arrived {
        async fn subscribe(
            &self,
            _: SubscribeRequest,
            _: &CallOptions,
        ) -> Result<Messages<SubscribeResponse>, Error> {
            let event = |bytes: &usize| {
                let event = Envelope::default().with_position(Position::default());
                Item::Event(event.with_data(vec![0; *bytes]))
            };
            let opening = Item::Heartbeat(Heartbeat::default());
            let items = std::iter::once(opening).chain(self.0.iter().map(event)).collect::<Vec<_>>();
            let responses = items.into_iter().map(|item| Ok(SubscribeResponse::default().with_item(item)));
            Ok(Messages::new(stream::iter(responses)))
        }
    }

    async fn batches(sizes: &[usize], most: usize) -> Vec<usize> {
        let link = Link::new(FeedClient::from_stub(Arrived(sizes.to_vec())), "mails/views", ["o.v1.Placed"]);
        let mut arrivals = link.open(None).await.unwrap();
        let mut batches = Vec::new();
        while let Ok(batch) = arrivals.next(most).await {
            batches.push(batch.events.len());
        }
        batches
    }

    #[tokio::test]
    async fn a_batch_ends_by_its_events_or_by_their_bytes() {
        assert_eq!(batches(&[0; 7], 3).await, [3, 3, 1]);
        assert_eq!(batches(&[BATCH_BYTES; 3], 100).await, [1, 1, 1]);
        assert_eq!(batches(&[BATCH_BYTES - 1, BATCH_BYTES, 5, 5], 100).await, [2, 2]);
    }
}
