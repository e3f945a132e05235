//! The feed: how an owner serves its outbox and its entities to the consumers that declared a need of them.
//!
//! A thin gRPC service over `access` (who gets what), `pump` (one subscriber's stream) and `outlet` (what of it waits),
//! `entities` (snapshot and read) and `registry` (who has come how far). **Invariant:** what a consumer did not declare does not leave.

mod access;
mod entities;
pub(crate) mod fields;
mod outlet;
mod pump;
mod registry;
pub(crate) mod retention;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use freehold_store::Store;
use freehold_wire::dispatch::{MAX_MESSAGE, Messages};
use freehold_wire::feed::FeedService;
use freehold_wire::pb::{
    AckRequest, AckResponse, EntityChange, HeadRequest, HeadResponse, Position, ReadRequest, ReadResponse,
    SnapshotRequest, SnapshotResponse, SubscribeRequest, SubscribeResponse, WatchRequest, WatchResponse,
    WithdrawRequest, WithdrawResponse, subscribe_response, watch_response,
};
use freehold_wire::reason::{Reason, bad_field};
use freehold_wire::{Committed, Context, Contract, TokenError};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::link::HISTORY_LOST;
pub(crate) use access::{Access, Grant};
use entities::Entities;
use outlet::outlet;
use pump::Pump;
pub(crate) use pump::{position, told};
pub use retention::Keep;

/// The most bytes of events, or of entities for a snapshot, that are read at once: the sum of what the database keeps of
/// each. One that is larger by itself is read alone.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// The most bytes of messages that wait for a slow subscriber, or else one message that is larger. With a page that is
/// being sent, this is what a stream holds in memory: two of the largest messages, however many events are behind.
pub const WAITING_BYTES: u32 = 1024 * 1024;
/// The most bytes of the rows in the reply to a read by keys: what a message may have, with room for all else in it.
pub const REPLY_BYTES: usize = 3 * 1024 * 1024;

const _: () = assert!(REPLY_BYTES + 64 * 1024 < MAX_MESSAGE, "a reply is one message");

/// The reason of a read by keys whose rows are more than that: it is to ask for fewer keys.
pub const READ_TOO_LARGE: &str = "READ_TOO_LARGE";

/// How a feed works.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a stream is silent before it sends a heartbeat; also how often it looks at the outbox without being told.
    /// One second unless said.
    pub heartbeat: Duration,
    /// The most events that are read at once, within [`PAGE_BYTES`], and that wait for a slow subscriber, within
    /// [`WAITING_BYTES`]. 256 unless said.
    pub batch: usize,
    /// The most entities in a chunk of a snapshot, within [`PAGE_BYTES`]. 500 unless said.
    pub chunk: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(1), batch: 256, chunk: 500 }
    }
}

/// Why a feed cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The contract names no such owner.
    #[error("the contract names no owner `{0}`")]
    UnknownOwner(String),
}

/// An owner's feed. Cloning is cheap.
#[derive(Clone)]
pub struct Feed(Arc<Served>);

struct Served {
    store: Store,
    access: Access,
    options: Options,
}

impl Feed {
    /// The feed of the store's owner, under its contract.
    ///
    /// # Errors
    /// [`FeedError`].
    pub fn new(store: Store, contract: &'static Contract) -> Result<Self, FeedError> {
        Self::with_options(store, contract, Options::default())
    }

    /// The same, working otherwise than by default.
    ///
    /// # Errors
    /// [`FeedError`].
    pub fn with_options(
        store: Store,
        contract: &'static Contract,
        options: Options,
    ) -> Result<Self, FeedError> {
        let unknown = || FeedError::UnknownOwner(store.service().to_owned());
        let access = Access::of(contract, store.service()).ok_or_else(unknown)?;
        Ok(Self(Arc::new(Served { store, access, options })))
    }

    /// Keeps no more of the owner's history than that, and than its subscriptions still want, from now on and while the
    /// feed is there. Without this everything is kept. Needs a Tokio runtime.
    #[must_use]
    pub fn keeping(self, keep: Keep) -> Self {
        retention::start(&self.0.store, keep, Arc::downgrade(&self.0));
        self
    }

    fn entities(&self, context: &Context, entity: String) -> Result<Entities, Status> {
        let fields = self.0.access.copy(context.caller(), &entity)?;
        Ok(Entities { store: self.0.store.clone(), entity, fields })
    }

    async fn reached(&self, position: &Position) -> Result<(), Status> {
        let lost = |error: TokenError| Reason::FailedPrecondition.because(HISTORY_LOST, error.to_string());
        self.0.store.latest_for(position).await?.reached(position).map_err(lost)
    }
}

#[async_trait]
impl FeedService for Feed {
    async fn subscribe(
        &self,
        context: Context,
        request: SubscribeRequest,
    ) -> Result<Messages<SubscribeResponse>, Status> {
        let Served { store, access, options } = &*self.0;
        let grant = access.subscribe(context.caller(), &request.subscription, &request.types)?;
        let grant = grant.of_shares(request.shares);
        if let Some(after) = &request.after {
            self.reached(after).await?;
            registry::kept(store, &context, after).await?;
        }
        let consumer = access.subscriber(context.caller(), &request.subscription)?.name;
        let from = request.after.unwrap_or_default();
        registry::register(store, &context, request.subscription, consumer, from).await?;
        // What is kept now stays for the subscription that was registered.
        let after = match request.after {
            Some(after) => after.mark,
            None => registry::purged_to(store, &context, &store.latest().await?).await?.unwrap_or(0),
        };
        let (out, messages) = outlet(options.batch.max(1), WAITING_BYTES);
        let pump = Pump::new(store.clone(), grant, options.clone(), after, context.deadline());
        tokio::spawn(pump.run(out));
        Ok(Messages::new(messages))
    }

    async fn watch(
        &self,
        context: Context,
        request: WatchRequest,
    ) -> Result<Messages<WatchResponse>, Status> {
        let Served { store, access, options } = &*self.0;
        let grant = access.watch(context.caller(), &request.entity)?;
        let (out, messages) = outlet(options.batch.max(1), WAITING_BYTES);
        let head = store.latest().await?.mark();
        let pump = Pump::new(store.clone(), grant, options.clone(), head, context.deadline());
        tokio::spawn(pump.run(out));
        Ok(Messages::new(messages.map(|message| message.map(changed))))
    }

    async fn snapshot(
        &self,
        context: Context,
        request: SnapshotRequest,
    ) -> Result<Messages<SnapshotResponse>, Status> {
        let entities = self.entities(&context, request.entity)?;
        let (out, messages) = mpsc::channel(1);
        let chunk = self.0.options.chunk.max(1);
        tokio::spawn(entities.snapshot(request.after_key, chunk, out));
        Ok(Messages::new(ReceiverStream::new(messages)))
    }

    async fn read(&self, context: Context, request: ReadRequest) -> Result<ReadResponse, Status> {
        self.entities(&context, request.entity)?.read(&context, &request.keys).await
    }

    async fn head(&self, context: Context, request: HeadRequest) -> Result<HeadResponse, Status> {
        let head = self.0.store.latest().await?;
        let mut response = HeadResponse::default()
            .with_position(pump::position(&head, head.mark()))
            .with_epochs(head.epochs().to_vec());
        if request.kept {
            let purged = registry::purged_to(&self.0.store, &context, &head).await?;
            response.purged_to = purged.map(|mark| pump::position(&head, mark));
        }
        Ok(response)
    }

    async fn ack(&self, context: Context, request: AckRequest) -> Result<Committed<AckResponse>, Status> {
        self.0.access.subscriber(context.caller(), &request.subscription)?;
        let position = request.position.ok_or_else(|| bad_field("position", "is required"))?;
        self.reached(&position).await?;
        registry::acknowledge(&self.0.store, &context, request.subscription, position).await
    }

    async fn withdraw(
        &self,
        context: Context,
        request: WithdrawRequest,
    ) -> Result<Committed<WithdrawResponse>, Status> {
        self.0.access.subscriber(context.caller(), &request.subscription)?;
        Ok(registry::withdraw(&self.0.store, &context, request.subscription).await?)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("owner", &self.0.store.service()).finish_non_exhaustive()
    }
}

/// What a watch tells of a message for a subscriber: that, and not what, something has changed.
fn changed(message: SubscribeResponse) -> WatchResponse {
    match message.item {
        Some(subscribe_response::Item::Event(event)) => {
            let mut change = EntityChange::default().with_key(event.subject).with_version(event.version);
            change.position = event.position;
            WatchResponse::default().with_item(watch_response::Item::Change(change))
        }
        Some(subscribe_response::Item::Heartbeat(beat)) => {
            WatchResponse::default().with_item(watch_response::Item::Heartbeat(beat))
        }
        _ => WatchResponse::default(),
    }
}
