//! One subscription's stream over a bus: reads on along its course and sends what its owner's feed would send.
//!
//! A thin shell around [`Course`]. What is on the bus and is no letter of this owner's history is told and passed over:
//! where it stands for one, the next letter shows that something is missing. **Invariant:** a heartbeat's position has
//! nothing of the subscription behind it that has not been sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backoff::ExponentialBackoff;
use freehold_client::{Error, FeedClient, Messages};
use freehold_metrics::Counter;
use freehold_wire::Watermark;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    Envelope, Epoch, HeadRequest, Heartbeat, Position, SubscribeRequest, SubscribeResponse,
};
use freehold_wire::reason::Reason;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::course::{Course, Step};
use super::letter::{Letter, Stray};
use super::{Bus, BusError, Tail};
use crate::feed::Grant;
use crate::link;

/// How many of an owner's intervals the bus may be silent before its feed is read instead.
const SILENT_INTERVALS: u32 = 2;

type Out = mpsc::Sender<Result<SubscribeResponse, Error>>;

/// The stream ends: nobody reads it any more, or it said why.
struct Over;

/// An owner, and the two ways to what it emits.
pub(crate) struct Way {
    pub(crate) feed: FeedClient,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) owner: Arc<str>,
}

/// One subscription's stream.
pub(crate) struct Reading {
    feed: FeedClient,
    bus: Arc<dyn Bus>,
    owner: Arc<str>,
    grant: Grant,
    request: SubscribeRequest,
    course: Course,
    epochs: Vec<Epoch>,
    /// Epochs of letters that are of another history.
    strangers: BTreeSet<u64>,
    /// The owner's feed, while it is read.
    fed: Option<Messages<SubscribeResponse>>,
    tail: Option<Box<dyn Tail>>,
    /// The tail is being opened.
    opening: Option<JoinHandle<Result<Box<dyn Tail>, BusError>>>,
    waits: ExponentialBackoff,
    open_at: Instant,
    silence: Duration,
    silent_at: Instant,
    acknowledged: watch::Receiver<i64>,
    /// Whether the feed is read for what the bus lacks. At the beginning it is read before the bus.
    refills: bool,
    /// What was read from it for that.
    refilled: Counter,
}

/// What came next.
#[expect(
    clippy::large_enum_variant,
    reason = "it is matched at once; a box would cost each event an allocation"
)]
enum Came {
    Fed(Option<Result<SubscribeResponse, Error>>),
    Letter(Result<Result<Letter, Stray>, BusError>),
    Opened(Result<Box<dyn Tail>, BusError>),
    TimeToOpen,
    Silent,
    Acknowledged,
    Gone,
}

impl Reading {
    /// Opens the owner's feed, which registers the subscription; answers its first heartbeat too.
    pub(crate) async fn open(
        way: Way,
        grant: Grant,
        request: SubscribeRequest,
        acknowledged: watch::Receiver<i64>,
        refilled: Counter,
    ) -> Result<(Self, SubscribeResponse), Error> {
        let Way { feed, bus, owner } = way;
        let mut fed = feed.subscribe(request.clone()).await?;
        let ended = || Error::new(Reason::Unavailable, "the feed ended before it began");
        let opening = fed.next().await.ok_or_else(ended)??;
        let Some(Item::Heartbeat(beat)) = &opening.item else {
            return Err(Error::new(Reason::Internal, "the feed sent an event before its first heartbeat"));
        };
        let (silence, now) = (link::interval_of(beat) * SILENT_INTERVALS, Instant::now());
        let reading = Self {
            course: Course::after(request.after.unwrap_or_default().mark),
            epochs: beat.epochs.clone(),
            strangers: BTreeSet::new(),
            fed: Some(fed),
            tail: None,
            opening: None,
            waits: link::reconnects(),
            open_at: now,
            silence,
            silent_at: now + silence,
            feed,
            bus,
            owner,
            grant,
            request,
            acknowledged,
            refills: false,
            refilled,
        };
        Ok((reading, opening))
    }

    /// Sends until the subscriber is gone, or the owner's feed is needed and fails.
    pub(crate) async fn run(mut self, out: Out) {
        loop {
            let came = self.next(&out).await;
            if let Err(Over) = self.take(came, &out).await {
                break;
            }
        }
        if let Some(opening) = self.opening {
            opening.abort();
        }
    }

    async fn next(&mut self, out: &Out) -> Came {
        let on_bus = self.course.on_bus();
        let reads_bus = on_bus || self.course.awaits_bus();
        let opens = self.tail.is_none() && self.opening.is_none();
        tokio::select! {
            biased;
            () = out.closed() => Came::Gone,
            Ok(()) = self.acknowledged.changed() => Came::Acknowledged,
            item = next_fed(&mut self.fed) => Came::Fed(item),
            letter = next_letter(&mut self.tail), if reads_bus => Came::Letter(letter),
            opened = opened(&mut self.opening) => Came::Opened(opened),
            () = sleep_until(self.open_at), if opens => Came::TimeToOpen,
            () = sleep_until(self.silent_at), if on_bus => Came::Silent,
        }
    }

    async fn take(&mut self, came: Came, out: &Out) -> Result<(), Over> {
        match came {
            Came::Gone => Err(Over),
            Came::Fed(item) => self.fed(item, out).await,
            Came::Letter(Ok(Ok(letter))) => self.letter(letter, out).await,
            Came::Letter(Ok(Err(stray))) => {
                tracing::warn!(owner = &*self.owner, bus = self.bus.name(), %stray, "a message on the bus is no letter");
                Ok(())
            }
            Came::Letter(Err(error)) | Came::Opened(Err(error)) => self.lost(&error, out).await,
            Came::Opened(Ok(tail)) => {
                (self.tail, self.opening) = (Some(tail), None);
                Ok(())
            }
            Came::TimeToOpen => {
                self.opening = Some(self.opened());
                Ok(())
            }
            Came::Silent => {
                tracing::info!(
                    owner = &*self.owner,
                    bus = self.bus.name(),
                    "the bus is silent, its owner's feed is read"
                );
                self.course.bus_lost();
                self.refill(out).await
            }
            Came::Acknowledged => {
                let mark = *self.acknowledged.borrow_and_update();
                if let Some(tail) = &mut self.tail
                    && let Err(error) = tail.settle(mark).await
                {
                    tracing::debug!(%error, "a bus was not told what is settled");
                }
                Ok(())
            }
        }
    }

    async fn fed(&mut self, item: Option<Result<SubscribeResponse, Error>>, out: &Out) -> Result<(), Over> {
        let response = match item {
            Some(Ok(response)) => response,
            Some(Err(error)) => return end(out, Err(error)).await,
            None => return Err(Over),
        };
        // The owner was started again meanwhile: whoever reads hears of its epochs as a stream begins.
        if let Some(Item::Heartbeat(beat)) = &response.item
            && !(beat.epochs.is_empty() || beat.epochs == self.epochs)
        {
            return Err(Over);
        }
        let step = match &response.item {
            Some(Item::Event(event)) => self.course.fed(mark(event.position.as_ref())),
            Some(Item::Heartbeat(beat)) => self.course.fed_up_to(mark(beat.position.as_ref())),
            _ => Step::Deliver,
        };
        if self.course.on_bus() {
            self.fed = None;
            self.silent_at = Instant::now() + self.silence;
        }
        if step != Step::Deliver {
            return Ok(());
        }
        if self.refills && matches!(response.item, Some(Item::Event(_))) {
            self.refilled.inc();
        }
        send(out, response).await
    }

    async fn letter(&mut self, letter: Letter, out: &Out) -> Result<(), Over> {
        self.silent_at = Instant::now() + self.silence;
        let (position, before) = match &letter {
            Letter::Event { event, before, .. } => (event.position.unwrap_or_default(), before),
            Letter::Beat { position, before, .. } => (*position, before),
        };
        if !self.is_ours(position).await? {
            return Ok(());
        }
        if self.course.awaits_bus() {
            self.course.bus_at(position.mark);
            if self.course.on_bus() {
                self.fed = None;
            }
            return Ok(());
        }
        let before = before.last_of(self.grant.entities());
        match letter {
            Letter::Event { event, withheld, .. } => self.event(*event, before, withheld, out).await,
            Letter::Beat { time, .. } => match self.course.beat(position.mark, before) {
                Step::Drop => Ok(()),
                Step::Refill => self.refill(out).await,
                Step::Deliver => {
                    let beat = Heartbeat::default().with_position(position).with_time(time);
                    send(out, SubscribeResponse::default().with_item(Item::Heartbeat(beat))).await
                }
            },
        }
    }

    async fn event(&mut self, event: Envelope, before: i64, withheld: bool, out: &Out) -> Result<(), Over> {
        let position = event.position.unwrap_or_default();
        let concerns = self.grant.concerns(&event.entity, &event.subject);
        let lacks_data = withheld && concerns && self.grant.fields(&event.r#type).is_some();
        let id = event.id.clone();
        let cut = match self.grant.cut(event) {
            Ok(cut) => cut,
            Err(error) => {
                tracing::warn!(owner = &*self.owner, id, %error, "a message on the bus is no letter");
                return Ok(());
            }
        };
        match self.course.event(position.mark, before, lacks_data) {
            Step::Drop => Ok(()),
            Step::Refill => self.refill(out).await,
            Step::Deliver => match cut {
                Some(event) => send(out, SubscribeResponse::default().with_item(Item::Event(event))).await,
                // Of a key that another instance reads.
                None => Ok(()),
            },
        }
    }

    /// Whether the owner's history has the position. An epoch that has not been heard of may be a new one: then the
    /// stream ends, to begin again with it.
    async fn is_ours(&mut self, position: Position) -> Result<bool, Over> {
        let known = Watermark::new(self.owner.as_ref(), self.epochs.clone(), i64::MAX);
        if known.reached(&position).is_ok() {
            return Ok(true);
        }
        let is_new = |epochs: &[Epoch]| epochs.iter().any(|epoch| epoch.id == position.epoch);
        if !is_new(&self.epochs) && !self.strangers.contains(&position.epoch) {
            let head = self.feed.head(HeadRequest::default()).await.map_err(|_| Over)?;
            if is_new(&head.epochs) {
                return Err(Over);
            }
            self.strangers.insert(position.epoch);
        }
        let stray = Stray::OtherHistory { epoch: position.epoch, mark: position.mark };
        tracing::warn!(owner = &*self.owner, bus = self.bus.name(), %stray, "a message on the bus is no letter");
        Ok(false)
    }

    /// The bus broke off: the feed is read until there is a letter again.
    async fn lost(&mut self, error: &BusError, out: &Out) -> Result<(), Over> {
        tracing::info!(owner = &*self.owner, bus = self.bus.name(), %error, "the bus is away, its owner's feed is read");
        (self.tail, self.opening) = (None, None);
        self.open_at = Instant::now() + self.waits.next().unwrap_or(Duration::from_secs(5));
        self.course.bus_lost();
        self.refill(out).await
    }

    /// Reads the owner's feed from where the course is.
    async fn refill(&mut self, out: &Out) -> Result<(), Over> {
        if self.fed.is_some() {
            return Ok(());
        }
        let mark = self.course.mark();
        let epoch = self.epochs.iter().rev().find(|epoch| epoch.first <= mark).or(self.epochs.first());
        let after = Position::default().with_epoch(epoch.map_or(0, |epoch| epoch.id)).with_mark(mark);
        let mut request = self.request.clone();
        request.after = Some(after);
        match self.feed.subscribe(request).await {
            Ok(fed) => {
                (self.fed, self.refills) = (Some(fed), true);
                Ok(())
            }
            Err(error) => end(out, Err(error)).await,
        }
    }

    fn opened(&self) -> JoinHandle<Result<Box<dyn Tail>, BusError>> {
        let (bus, owner) = (Arc::clone(&self.bus), Arc::clone(&self.owner));
        // Instances of one consumer read beside each other, each its own keys.
        let reader = match self.request.shares {
            0 => self.request.subscription.clone(),
            shares => format!("{}/{shares:016x}", self.request.subscription),
        };
        let entities = self.grant.entities().clone();
        tokio::spawn(async move { bus.open(&owner, &reader, &entities).await })
    }
}

async fn next_fed(fed: &mut Option<Messages<SubscribeResponse>>) -> Option<Result<SubscribeResponse, Error>> {
    match fed {
        Some(fed) => fed.next().await,
        None => std::future::pending().await,
    }
}

async fn next_letter(tail: &mut Option<Box<dyn Tail>>) -> Result<Result<Letter, Stray>, BusError> {
    match tail {
        Some(tail) => tail.next().await,
        None => std::future::pending().await,
    }
}

async fn opened(
    opening: &mut Option<JoinHandle<Result<Box<dyn Tail>, BusError>>>,
) -> Result<Box<dyn Tail>, BusError> {
    match opening {
        Some(task) => task.await.unwrap_or_else(|error| Err(BusError::Away(error.to_string(), None))),
        None => std::future::pending().await,
    }
}

async fn send(out: &Out, response: SubscribeResponse) -> Result<(), Over> {
    out.send(Ok(response)).await.map_err(|_| Over)
}

async fn end(out: &Out, last: Result<SubscribeResponse, Error>) -> Result<(), Over> {
    let _ = out.send(last).await;
    Err(Over)
}

fn mark(position: Option<&Position>) -> i64 {
    position.map_or(0, |position| position.mark)
}
