//! The relay's loop under one fence: read the outbox, publish, wait for the bus, mark.
//!
//! The position is written down now and then, not after each batch: what was published beyond it is published again after
//! a crash. **Invariant:** nothing is marked that the bus has not acknowledged.

use std::time::{Duration, Instant, SystemTime};

use freehold_store::{Engine, StoreError, outbox};
use freehold_wire::pb::Envelope;
use prost_types::Timestamp;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::lease::RENEWAL;
use super::outgoing::Outgoing;
use super::records::{RecordError, Records};
use super::{Point, Relay};
use crate::bus::BusError;
use crate::feed::{PAGE_BYTES, position};

/// Why a relay stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// It was asked to.
    #[error("it was asked to end")]
    Asked,
    /// Another process relays.
    #[error("another process relays by now")]
    Fenced,
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The owner's database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordError> for Stopped {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Fenced => Self::Fenced,
            RecordError::Store(error) => Self::Store(error),
        }
    }
}

/// A relay while it publishes.
pub(crate) struct Publishing<'a> {
    relay: &'a Relay,
    records: &'a Records,
    fence: i64,
    outgoing: Outgoing,
    /// Everything up to here is published and acknowledged.
    published: i64,
    /// Everything up to here is marked.
    marked: i64,
    begun: i64,
    marked_at: Instant,
}

impl<'a> Publishing<'a> {
    /// Begins at the marked position.
    pub(crate) async fn begin(relay: &'a Relay, records: &'a Records, fence: i64) -> Result<Self, Stopped> {
        let prepared = relay.bus.prepare(relay.store.service()).await?;
        let mark = records.position().await?;
        let head = relay.store.latest().await?;
        records.renew(fence, Some(position(&head, mark)), String::new()).await?;
        let outgoing = Outgoing::new(relay.contract, relay.store.service(), prepared.largest, mark);
        let marked_at = Instant::now();
        Ok(Self { relay, records, fence, outgoing, published: mark, marked: mark, begun: mark, marked_at })
    }

    /// Whether anything came of it.
    pub(crate) fn has_published(&self) -> bool {
        self.published > self.begun
    }

    /// Publishes until something ends it; what is published is marked then, where that is possible.
    pub(crate) async fn run(&mut self, stop: &CancellationToken) -> Stopped {
        let stopped = match stop.run_until_cancelled(self.publish()).await {
            Some(Ok(never)) => match never {},
            Some(Err(stopped)) => stopped,
            None => Stopped::Asked,
        };
        if let Stopped::Asked | Stopped::Bus(_) = stopped
            && let Err(error) = self.mark().await
        {
            return error;
        }
        stopped
    }

    async fn publish(&mut self) -> Result<std::convert::Infallible, Stopped> {
        let mut commits = self.relay.store.commits();
        let mut beat_at = Instant::now();
        loop {
            commits.borrow_and_update();
            let (since, head) = (SystemTime::now(), self.relay.store.head());
            let (events, more) = self.page(head.mark()).await?;
            let last = events.last().and_then(|event| event.time);
            let end = events.last().map_or(self.published, mark);
            self.send(events, end).await?;
            if !more {
                self.published = self.published.max(head.mark());
            }
            if Instant::now() >= beat_at {
                let time = last.filter(|_| more).unwrap_or_else(|| Timestamp::from(since));
                self.beat(time).await?;
                beat_at = Instant::now() + self.relay.options.beat;
            }
            if self.is_to_mark(more) {
                self.mark().await?;
            }
            if more {
                continue;
            }
            tokio::select! {
                () = sleep_until(self.wake_at(beat_at).into()) => {}
                changed = commits.changed() => changed.map_err(|_| StoreError::Closed)?,
            }
        }
    }

    /// The next events up to the head, and whether there may be more of them.
    async fn page(&self, head: i64) -> Result<(Vec<Envelope>, bool), StoreError> {
        let store = &self.relay.store;
        let most = self.relay.options.batch.max(1);
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let (mut events, cut) =
            outbox::page(store, &mut store.read().await?, self.published, limit, PAGE_BYTES).await?;
        let full = cut || events.len() == most;
        let settled = events.partition_point(|event| mark(event) <= head);
        let more = full && settled == events.len();
        events.truncate(settled);
        Ok((events, more))
    }

    async fn send(&mut self, events: Vec<Envelope>, end: i64) -> Result<(), Stopped> {
        let faults = &self.relay.faults;
        if events.is_empty() {
            return Ok(());
        }
        faults.reach(Point::BeforePublish)?;
        if faults.marks_first() {
            self.published = end;
            self.mark().await?;
        }
        let packets = events.into_iter().map(|event| self.outgoing.event(event)).collect();
        self.relay.bus.publish(self.relay.store.service(), packets).await?;
        self.relay.faults.reach(Point::AfterPublish)?;
        self.published = end;
        Ok(())
    }

    async fn beat(&mut self, time: Timestamp) -> Result<(), Stopped> {
        let here = position(&self.relay.store.head(), self.published);
        let beat = self.outgoing.beat(here, time);
        Ok(self.relay.bus.publish(self.relay.store.service(), vec![beat]).await?)
    }

    /// A position that has moved is written down now and then; where another process may wait for the lease, so is that
    /// this one lives.
    fn is_to_mark(&self, more: bool) -> bool {
        let since = self.marked_at.elapsed();
        let shared = self.relay.store.engine() != Engine::Sqlite;
        (self.published > self.marked && (since >= self.relay.options.mark || (more && since >= RENEWAL)))
            || (shared && since >= RENEWAL)
    }

    /// When to look again, although nothing has happened.
    fn wake_at(&self, beat_at: Instant) -> Instant {
        if self.published > self.marked {
            beat_at.min(self.marked_at + self.relay.options.mark.max(Duration::from_millis(1)))
        } else {
            beat_at
        }
    }

    async fn mark(&mut self) -> Result<(), Stopped> {
        let here = position(&self.relay.store.head(), self.published);
        let fence = match self.relay.faults.unfenced() {
            true => self.records.held().await?.map_or(self.fence, |held| held.fence),
            false => self.fence,
        };
        self.records.renew(fence, Some(here), String::new()).await?;
        self.relay.faults.reach(Point::AfterMark)?;
        (self.marked, self.marked_at) = (self.published, Instant::now());
        Ok(())
    }
}

fn mark(event: &Envelope) -> i64 {
    event.position.as_ref().map_or(0, |position| position.mark)
}
