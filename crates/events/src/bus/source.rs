//! A feed that reads the bus where it can, and its owner's feed where it must.
//!
//! For a subscription it is a feed like any other: events in order, heartbeats, the owner's positions. It begins with the
//! owner's feed, which registers the subscription and decides what it may read, goes over to the bus once it has caught
//! up, and goes back for what the bus lacks. **Invariant:** what arrives is what the owner's feed would have sent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Messages};
use freehold_metrics::Label;
use freehold_wire::pb::{
    AckRequest, AckResponse, HeadRequest, HeadResponse, ReadRequest, ReadResponse, SnapshotRequest,
    SnapshotResponse, SubscribeRequest, SubscribeResponse, WatchRequest, WatchResponse, WithdrawRequest,
    WithdrawResponse,
};
use freehold_wire::reason::Reason;
use freehold_wire::{Caller, Contract};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::Bus;
use super::reading::{Reading, Way};
use crate::feed::Access;

/// How many messages wait for a slow subscriber.
const WAITING: usize = 256;

/// An owner's feed over a bus. Cloning is cheap.
#[derive(Clone)]
pub struct Source {
    feed: FeedClient,
    bus: Arc<dyn Bus>,
    access: Access,
    owner: Arc<str>,
    consumer: Arc<str>,
    /// What each subscription has acknowledged, for the task that reads it.
    acknowledged: Arc<Mutex<BTreeMap<String, watch::Sender<i64>>>>,
}

impl Source {
    /// The feed of `owner` for `consumer`, read from the bus; `None` where the contract has no such owner.
    #[must_use]
    pub fn new(
        feed: FeedClient,
        bus: Arc<dyn Bus>,
        contract: &'static Contract,
        owner: &str,
        consumer: &str,
    ) -> Option<Self> {
        let access = Access::of(contract, owner)?;
        let acknowledged = Arc::default();
        Some(Self { feed, bus, access, owner: owner.into(), consumer: consumer.into(), acknowledged })
    }

    /// What the subscription has acknowledged, as its stream hears of it.
    fn acknowledgements(&self, subscription: &str) -> watch::Receiver<i64> {
        let mut known = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(subscription.to_owned()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    fn note(&self, subscription: &str, mark: i64) {
        let known = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = known.get(subscription) {
            sender.send_if_modified(|noted| {
                let news = mark > *noted;
                *noted = mark.max(*noted);
                news
            });
        }
    }
}

#[async_trait]
impl FeedStub for Source {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        _: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        let caller = Caller::Named(self.consumer.as_ref().into());
        let grant = self.access.subscribe(&caller, &request.subscription, &request.types)?;
        let grant = grant.of_shares(request.shares);
        if request.types.iter().any(|of| self.access.is_personal(of)) {
            return self.feed.subscribe(request).await;
        }
        let acknowledged = self.acknowledgements(&request.subscription);
        let labels = [request.subscription.as_str(), &self.owner].map(|said| Label::from(said.to_owned()));
        let refilled = freehold_metrics::of(&self.consumer).events.refilled.at(labels);
        let way = Way { feed: self.feed.clone(), bus: Arc::clone(&self.bus), owner: Arc::clone(&self.owner) };
        let (reading, opening) = Reading::open(way, grant, request, acknowledged, refilled).await?;
        let (out, messages) = mpsc::channel(WAITING);
        out.try_send(Ok(opening)).map_err(|_| Error::new(Reason::Internal, "a new channel is full"))?;
        tokio::spawn(reading.run(out));
        Ok(Messages::new(ReceiverStream::new(messages)))
    }

    async fn snapshot(
        &self,
        request: SnapshotRequest,
        _: &CallOptions,
    ) -> Result<Messages<SnapshotResponse>, Error> {
        self.feed.snapshot(request).await
    }

    async fn read(&self, request: ReadRequest, _: &CallOptions) -> Result<ReadResponse, Error> {
        self.feed.read(request).await
    }

    async fn watch(&self, request: WatchRequest, _: &CallOptions) -> Result<Messages<WatchResponse>, Error> {
        self.feed.watch(request).await
    }

    async fn head(&self, request: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        self.feed.head(request).await
    }

    async fn ack(&self, request: AckRequest, _: &CallOptions) -> Result<AckResponse, Error> {
        let position = request.position.unwrap_or_default();
        self.note(&request.subscription, position.mark);
        self.feed.ack(request).await
    }

    async fn withdraw(&self, request: WithdrawRequest, _: &CallOptions) -> Result<WithdrawResponse, Error> {
        self.feed.withdraw(request).await
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("owner", &self.owner).field("bus", &self.bus).finish_non_exhaustive()
    }
}
