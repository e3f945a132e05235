//! One subscriber's stream: reads the outbox behind a cursor and sends what the subscription is granted.
//!
//! One bounded way carries events and heartbeats, so progress never overtakes data, and a slow subscriber stops the
//! reading of its own stream instead of filling memory or holding up another's. **Invariant:** a heartbeat's position has
//! nothing of the subscription behind it that has not been sent; where what comes next was purged meanwhile, the stream
//! ends and says so.

use std::time::{Duration, Instant, SystemTime};

use freehold_store::{Store, StoreError, outbox};
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{Envelope, Heartbeat, Position, Token};
use freehold_wire::reason::Reason;
use freehold_wire::{Session, Watermark};
use prost_types::Timestamp;
use tokio::task::yield_now;
use tokio::time::{sleep_until, timeout_at};
use tonic::Status;

use super::access::Grant;
use super::outlet::{Gone, Outlet};
use super::registry::purged_behind;
use super::{Options, PAGE_BYTES, fields};

/// How long progress without an event waits for more of it before it is told.
const LINGER: Duration = Duration::from_millis(2);

/// One subscriber's stream.
pub(crate) struct Pump {
    store: Store,
    grant: Grant,
    options: Options,
    /// The mark up to which the outbox has been read.
    cursor: i64,
    deadline: Instant,
}

/// What came of one reading.
struct Drained {
    /// The mark of the last event that was sent.
    sent: Option<i64>,
    /// There may be more behind the cursor: the time of the event that the cursor stands at, which is all that a
    /// heartbeat may claim until the rest has been read.
    more: Option<Timestamp>,
}

/// Why a stream ends before its time.
enum End {
    /// The subscriber went away.
    Gone,
    /// The owner failed.
    Failed(Status),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl Pump {
    pub(crate) fn new(store: Store, grant: Grant, options: Options, after: i64, deadline: Instant) -> Self {
        Self { store, grant, options, cursor: after, deadline }
    }

    /// Sends until the subscriber is gone, or the stream is too old or of epochs that are no longer all; the subscriber then
    /// goes on at its position.
    pub(crate) async fn run(mut self, out: Outlet) {
        let deadline = self.deadline.into();
        if let Ok(Err(End::Failed(status))) = timeout_at(deadline, self.pump(&out)).await {
            out.fail(status);
        }
    }

    async fn pump(&mut self, out: &Outlet) -> Result<(), End> {
        let mut commits = self.store.commits();
        let mut head = self.store.head();
        let opening = self.beat(&head).with_epochs(head.epochs().to_vec());
        out.send(Item::Heartbeat(opening)).await?;
        let mut told = self.cursor;
        let mut due = Instant::now() + self.options.heartbeat;
        loop {
            commits.borrow_and_update();
            let before = head;
            head = self.store.head();
            if head.epochs() != before.epochs() {
                return Ok(());
            }
            let drained = self.drain(&head, out).await?;
            if let Some(sent) = drained.sent {
                told = sent;
                due = Instant::now() + self.options.heartbeat;
            }
            if let Some(time) = drained.more {
                if Instant::now() >= due {
                    out.send(Item::Heartbeat(self.beat(&head).with_time(time))).await?;
                    told = self.cursor;
                    due = Instant::now() + self.options.heartbeat;
                }
                // A long stretch of other entities' events neither keeps the thread nor outlives its subscriber.
                yield_now().await;
                if out.is_closed() {
                    return Err(End::Gone);
                }
                continue;
            }
            if self.cursor > told {
                due = due.min(Instant::now() + LINGER);
            }
            tokio::select! {
                () = sleep_until(due.into()) => {
                    out.send(Item::Heartbeat(self.beat(&head))).await?;
                    told = self.cursor;
                    due = Instant::now() + self.options.heartbeat;
                }
                changed = commits.changed() => changed.map_err(|_| StoreError::Closed)?,
                () = out.closed() => return Err(End::Gone),
            }
        }
    }

    /// Reads on behind the cursor, up to `head` and at most a page, and sends what the subscription is granted.
    ///
    /// An event that is committed and not yet in `head` waits: its position is not one that this owner has reached.
    async fn drain(&mut self, head: &Watermark, out: &Outlet) -> Result<Drained, End> {
        let (events, full) = self.page().await?;
        let mut drained = Drained { sent: None, more: None };
        for event in events {
            let (mark, time) = (mark(&event), event.time);
            if mark > head.mark() {
                drained.more = None;
                return Ok(drained);
            }
            // Marks have no gap.
            if mark > self.cursor + 1 {
                return Err(End::Failed(purged_behind(self.cursor, mark - 1)));
            }
            let id = event.id.clone();
            let granted = self.grant.cut(told(event)).map_err(|error| damaged(&id, error))?;
            if let Some(event) = granted {
                out.send(Item::Event(event)).await?;
                drained.sent = Some(mark);
            }
            self.cursor = mark;
            drained.more = full.then(|| time.unwrap_or_default());
        }
        if !full && self.cursor < head.mark() {
            return Err(End::Failed(purged_behind(self.cursor, head.mark())));
        }
        Ok(drained)
    }

    /// Nothing of the subscription lies between what was sent and the cursor.
    fn beat(&self, head: &Watermark) -> Heartbeat {
        let beat =
            Heartbeat::default().with_position(position(head, self.cursor)).with_time(SystemTime::now());
        match prost_types::Duration::try_from(self.options.heartbeat) {
            Ok(interval) => beat.with_interval(interval),
            Err(_) => beat,
        }
    }

    /// The next events, and whether there may be more behind them.
    async fn page(&self) -> Result<(Vec<Envelope>, bool), StoreError> {
        let most = self.options.batch.max(1);
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut read = self.store.read().await?;
        let (events, cut) = outbox::page(&self.store, &mut read, self.cursor, limit, PAGE_BYTES).await?;
        let full = cut || events.len() == most;
        Ok((events, full))
    }
}

fn damaged(id: &str, error: fields::Malformed) -> End {
    End::Failed(Reason::Internal.status(format!("event {id} is damaged: {error}")))
}

/// The event as it leaves its owner: with what a reaction to it has seen.
pub(crate) fn told(mut event: Envelope) -> Envelope {
    event.tokens = seen(&event);
    event
}

/// What a reaction to the event has seen: all that its unit of work had, and the event itself.
fn seen(event: &Envelope) -> Vec<Token> {
    let position = event.position.unwrap_or_default();
    let own = Token::default()
        .with_owner(event.source.as_str())
        .with_epoch(position.epoch)
        .with_mark(position.mark);
    let session = Session::of(event.tokens.iter().filter(|token| token.owner != event.source).cloned());
    session.saw(own);
    session.tokens()
}

/// The position of a mark that the owner has reached.
pub(crate) fn position(head: &Watermark, mark: i64) -> Position {
    let epochs = head.epochs();
    let begun = epochs.iter().rev().find(|epoch| epoch.first <= mark).or(epochs.first());
    Position::default().with_epoch(begun.map_or(0, |epoch| epoch.id)).with_mark(mark)
}

fn mark(event: &Envelope) -> i64 {
    event.position.as_ref().map_or(0, |position| position.mark)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use freehold_wire::reason;
    use futures_util::{FutureExt, Stream, StreamExt};

    use super::*;
    use crate::feed::WAITING_BYTES;
    use crate::feed::access::Access;
    use crate::feed::outlet::outlet;
    use crate::fixture::{CONTRACT, ORDER, Order, Owner, SOON, SUBSCRIPTION, context};
    use crate::link::POSITION_PURGED;

    fn pump(owner: &Owner, of: &str) -> Pump {
        let access = Access::of(&CONTRACT, "orders").unwrap();
        let grant = access.subscribe(context().caller(), SUBSCRIPTION, &[of.to_owned()]).unwrap();
        let options = Options { batch: 16, ..Options::default() };
        Pump::new(owner.store.clone(), grant, options, 0, Instant::now() + SOON)
    }

    /// How many messages there are now.
    fn arrived(mut stream: Pin<&mut impl Stream>) -> usize {
        std::iter::from_fn(|| stream.next().now_or_never().flatten()).count()
    }

    /// What is committed and not yet in the head that was read waits for the next one.
    #[tokio::test]
    async fn an_event_above_the_head_is_not_sent() {
        let owner = Owner::open().await;
        owner.place_all(1, 3).await;
        let mut pump = pump(&owner, "o.v1.Placed");
        let (out, stream) = outlet(16, WAITING_BYTES);
        let mut stream = std::pin::pin!(stream);
        let head = owner.store.head();
        let before = Watermark::new("orders", head.epochs().to_vec(), 1);

        assert!(matches!(pump.drain(&before, &out).await, Ok(Drained { sent: Some(1), .. })));
        assert_eq!((pump.cursor, arrived(stream.as_mut())), (1, 1));
        assert!(matches!(pump.drain(&before, &out).await, Ok(Drained { sent: None, .. })));
        assert_eq!((pump.cursor, arrived(stream.as_mut())), (1, 0), "not even passed over");
        assert!(matches!(pump.drain(&head, &out).await, Ok(Drained { sent: Some(3), .. })));
        assert_eq!((pump.cursor, arrived(stream.as_mut())), (3, 2));
    }

    /// A subscriber whose registration was forgotten is slower than the retention. The planted bug goes on with what is
    /// left, and nobody hears of what was between.
    #[tokio::test]
    async fn a_stream_that_retention_overtakes_ends_and_says_so() {
        let owner = Owner::open().await;
        owner.place_all(1, 5).await;
        let mut pump = pump(&owner, "o.v1.Placed");
        pump.cursor = 1;
        let (out, stream) = outlet(16, WAITING_BYTES);
        let mut stream = std::pin::pin!(stream);
        let head = owner.store.head();
        for purged in [3, 5] {
            owner.purge(purged).await;
            let Err(End::Failed(refused)) = pump.drain(&head, &out).await else { panic!("it goes on") };
            assert_eq!((reason::of(&refused).as_str(), pump.cursor), (POSITION_PURGED, 1));
            assert_eq!(arrived(stream.as_mut()), 0);
        }
    }

    /// As many as were meant to be read at once, or one that is larger.
    fn bounded(events: &[Envelope]) -> Result<(), String> {
        let bytes: usize = events.iter().map(|event| event.data.as_ref().map_or(0, Vec::len)).sum();
        let bounded = bytes <= PAGE_BYTES || events.len() == 1;
        if bounded { Ok(()) } else { Err(format!("{} events are {bytes} bytes", events.len())) }
    }

    #[tokio::test]
    async fn large_events_are_read_by_their_bytes() {
        let owner = Owner::open().await;
        let sizes = [outbox::MAX_DATA - 20, 400_000, 400_000, 400_000, outbox::MAX_DATA - 20, 10];
        for (key, size) in sizes.into_iter().enumerate() {
            let order = Order { id: key.to_string(), state: "x".repeat(size), secret: String::new() };
            owner.put(order).await;
        }
        let mut pump = pump(&owner, ORDER);
        let mut pages = Vec::new();
        while pump.cursor < 6 {
            let (events, more) = pump.page().await.unwrap();
            assert_eq!(bounded(&events), Ok(()));
            pump.cursor = mark(events.last().unwrap());
            assert_eq!(more, pump.cursor < 6);
            pages.push(events.len());
        }
        assert_eq!(pages, [1, 2, 1, 1, 1]);

        let all = outbox::after(&owner.store, &mut owner.store.read().await.unwrap(), 0, 16).await.unwrap();
        assert!(bounded(&all).is_err(), "the planted bug, a page by the number of its events, is seen");
    }
}
