//! One subscriber's stream: reads the outbox behind a cursor and sends what the subscription is granted.
//!
//! One bounded channel carries events and heartbeats, so progress never overtakes data, and a slow subscriber stops the
//! reading instead of filling memory. **Invariant:** a heartbeat's position has nothing of the subscription behind it
//! that has not been sent.

use std::time::{Duration, Instant, SystemTime};

use freehold_store::{Store, StoreError, outbox};
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{Envelope, Heartbeat, Position, SubscribeResponse, Token};
use freehold_wire::reason::Reason;
use freehold_wire::{Session, Watermark};
use prost_types::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio::task::yield_now;
use tokio::time::{sleep_until, timeout_at};
use tonic::Status;

use super::Options;
use super::access::Grant;
use super::fields;

/// How long progress without an event waits for more of it before it is told.
const LINGER: Duration = Duration::from_millis(2);

type Out = Sender<Result<SubscribeResponse, Status>>;

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

impl Pump {
    pub(crate) fn new(store: Store, grant: Grant, options: Options, after: i64, deadline: Instant) -> Self {
        Self { store, grant, options, cursor: after, deadline }
    }

    /// Sends until the subscriber is gone, or the stream is too old; the subscriber then goes on at its
    /// position.
    pub(crate) async fn run(mut self, out: Out) {
        let deadline = self.deadline.into();
        if let Ok(Err(End::Failed(status))) = timeout_at(deadline, self.pump(&out)).await {
            // Whoever waits for room in a full channel has a subscriber that reads no more.
            let _ = out.try_send(Err(status));
        }
    }

    async fn pump(&mut self, out: &Out) -> Result<(), End> {
        let mut commits = self.store.commits();
        let head = self.store.head();
        let opening = self.beat(&head).with_epochs(head.epochs().to_vec());
        send(out, Item::Heartbeat(opening)).await?;
        let mut told = self.cursor;
        let mut due = Instant::now() + self.options.heartbeat;
        loop {
            commits.borrow_and_update();
            let head = self.store.head();
            let drained = self.drain(&head, out).await?;
            if let Some(sent) = drained.sent {
                told = sent;
                due = Instant::now() + self.options.heartbeat;
            }
            if let Some(time) = drained.more {
                if Instant::now() >= due {
                    send(out, Item::Heartbeat(self.beat(&head).with_time(time))).await?;
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
                    send(out, Item::Heartbeat(self.beat(&head))).await?;
                    told = self.cursor;
                    due = Instant::now() + self.options.heartbeat;
                }
                changed = commits.changed() => changed.map_err(|_| StoreError::Closed)?,
                () = out.closed() => return Err(End::Gone),
            }
        }
    }

    /// Reads on behind the cursor, up to `head` and at most a batch, and sends what the subscription is granted.
    ///
    /// An event that is committed and not yet in `head` waits: its position is not one that this owner has reached.
    async fn drain(&mut self, head: &Watermark, out: &Out) -> Result<Drained, End> {
        let limit = self.options.batch.max(1);
        let events = self.read(limit).await?;
        let mut drained = Drained { sent: None, more: None };
        let full = events.len() == limit;
        for event in events {
            let (mark, time) = (mark(&event), event.time);
            if mark > head.mark() {
                drained.more = None;
                return Ok(drained);
            }
            if let Some(event) = self.granted(event).map_err(End::Failed)? {
                send(out, Item::Event(event)).await?;
                drained.sent = Some(mark);
            }
            self.cursor = mark;
            drained.more = full.then(|| time.unwrap_or_default());
        }
        if !full {
            self.cursor = self.cursor.max(head.mark());
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

    async fn read(&self, limit: usize) -> Result<Vec<Envelope>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        outbox::after(&self.store, &mut self.store.read().await?, self.cursor, limit).await
    }

    /// The event as the subscription may see it; `None` for another entity's.
    fn granted(&self, mut event: Envelope) -> Result<Option<Envelope>, Status> {
        if !self.grant.concerns(&event.entity) {
            return Ok(None);
        }
        event.tokens = seen(&event);
        match (self.grant.fields(&event.r#type), event.data.take()) {
            (Some(allowed), Some(data)) => {
                let damaged =
                    |error| Reason::Internal.status(format!("event {} is damaged: {error}", event.id));
                event.data = Some(fields::keep(allowed, &data).map_err(damaged)?);
            }
            _ => event.dataschema.clear(),
        }
        Ok(Some(event))
    }
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

async fn send(out: &Out, item: Item) -> Result<(), End> {
    out.send(Ok(SubscribeResponse::default().with_item(item))).await.map_err(|_| End::Gone)
}

fn mark(event: &Envelope) -> i64 {
    event.position.as_ref().map_or(0, |position| position.mark)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::feed::access::Access;
    use crate::fixture::{CONTRACT, Owner, SOON, SUBSCRIPTION, context};

    /// What is committed and not yet in the head that was read waits for the next one.
    #[tokio::test]
    async fn an_event_above_the_head_is_not_sent() {
        let owner = Owner::open().await;
        owner.place_all(1, 3).await;
        let access = Access::of(&CONTRACT, "orders").unwrap();
        let types = ["o.v1.Placed".to_owned()];
        let grant = access.subscribe(context().caller(), SUBSCRIPTION, &types).unwrap();
        let options = Options { batch: 16, ..Options::default() };
        let mut pump = Pump::new(owner.store.clone(), grant, options, 0, Instant::now() + SOON);
        let (out, mut sent) = mpsc::channel(16);
        let head = owner.store.head();
        let before = Watermark::new("orders", head.epochs().to_vec(), 1);

        assert!(matches!(pump.drain(&before, &out).await, Ok(Drained { sent: Some(1), .. })));
        assert_eq!((pump.cursor, sent.len()), (1, 1));
        assert!(matches!(pump.drain(&before, &out).await, Ok(Drained { sent: None, .. })));
        assert_eq!((pump.cursor, sent.len()), (1, 1), "not even passed over");
        assert!(matches!(pump.drain(&head, &out).await, Ok(Drained { sent: Some(3), .. })));
        sent.close();
        assert_eq!((pump.cursor, sent.len()), (3, 3));
    }
}
