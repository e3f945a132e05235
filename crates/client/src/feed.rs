//! The client of `freehold.v1.Feed`: how a consumer reads an owner's events and entities.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use freehold_wire::pb::{
    AckRequest, AckResponse, HeadRequest, HeadResponse, ReadRequest, ReadResponse, SnapshotRequest,
    SnapshotResponse, SubscribeRequest, SubscribeResponse,
};
use freehold_wire::{Access, Context, Method, Retry, Rules, Session};

use crate::channel::Channel;
use crate::error::Error;
use crate::messages::Messages;
use crate::options::CallOptions;

const SUBSCRIBE: Method<SubscribeRequest, SubscribeResponse> =
    method("/freehold.v1.Feed/Subscribe", Duration::from_secs(3600));
const SNAPSHOT: Method<SnapshotRequest, SnapshotResponse> =
    method("/freehold.v1.Feed/Snapshot", Duration::from_secs(600));
const READ: Method<ReadRequest, ReadResponse> = method("/freehold.v1.Feed/Read", Duration::from_secs(1));
const HEAD: Method<HeadRequest, HeadResponse> = method("/freehold.v1.Feed/Head", Duration::from_secs(1));
const ACK: Method<AckRequest, AckResponse> = method("/freehold.v1.Feed/Ack", Duration::from_secs(2));

const fn method<Request, Reply>(path: &'static str, deadline: Duration) -> Method<Request, Reply> {
    let (retry, access) = (Retry::Safe, Access::Public);
    Method::new(Rules { path, deadline, min_deadline: Duration::ZERO, retry, access })
}

/// What answers the calls of a [`FeedClient`]: a channel, or a mock.
#[async_trait]
pub trait FeedStub: Send + Sync + Debug {
    /// Streams the owner's events from a position on, in order per key, with heartbeats. Registers the subscription.
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        options: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        let _ = (request, options);
        Err(Error::unimplemented(SUBSCRIBE.rules()))
    }

    /// Streams the entities of one type as they stand, tombstones included, in chunks by key.
    async fn snapshot(
        &self,
        request: SnapshotRequest,
        options: &CallOptions,
    ) -> Result<Messages<SnapshotResponse>, Error> {
        let _ = (request, options);
        Err(Error::unimplemented(SNAPSHOT.rules()))
    }

    /// The entities of one type by their keys, as they stand.
    async fn read(&self, request: ReadRequest, options: &CallOptions) -> Result<ReadResponse, Error> {
        let _ = (request, options);
        Err(Error::unimplemented(READ.rules()))
    }

    /// The position after the last committed event.
    async fn head(&self, request: HeadRequest, options: &CallOptions) -> Result<HeadResponse, Error> {
        let _ = (request, options);
        Err(Error::unimplemented(HEAD.rules()))
    }

    /// Moves a subscription: everything up to the position has taken effect at the consumer.
    async fn ack(&self, request: AckRequest, options: &CallOptions) -> Result<AckResponse, Error> {
        let _ = (request, options);
        Err(Error::unimplemented(ACK.rules()))
    }
}

#[async_trait]
impl FeedStub for Channel {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        options: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        self.server_streaming(&SUBSCRIBE, request, options).await
    }

    async fn snapshot(
        &self,
        request: SnapshotRequest,
        options: &CallOptions,
    ) -> Result<Messages<SnapshotResponse>, Error> {
        self.server_streaming(&SNAPSHOT, request, options).await
    }

    async fn read(&self, request: ReadRequest, options: &CallOptions) -> Result<ReadResponse, Error> {
        self.unary(&READ, request, options).await
    }

    async fn head(&self, request: HeadRequest, options: &CallOptions) -> Result<HeadResponse, Error> {
        self.unary(&HEAD, request, options).await
    }

    async fn ack(&self, request: AckRequest, options: &CallOptions) -> Result<AckResponse, Error> {
        self.unary(&ACK, request, options).await
    }
}

/// Calls the feed of an owner. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct FeedClient {
    stub: Arc<dyn FeedStub>,
    options: CallOptions,
}

impl FeedClient {
    /// A client over a channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self::from_stub(channel)
    }

    /// A client over a mock.
    #[must_use]
    pub fn from_stub(stub: impl FeedStub + 'static) -> Self {
        Self { stub: Arc::new(stub), options: CallOptions::new() }
    }

    /// The same client as part of a line of work.
    #[must_use]
    pub fn within(&self, context: &Context) -> Self {
        Self { options: self.options.within(context), ..self.clone() }
    }

    /// The same client with another deadline.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { options: self.options.with_deadline(deadline), ..self.clone() }
    }

    /// The same client in a session.
    #[must_use]
    pub fn with_session(&self, session: &Session) -> Self {
        Self { options: self.options.with_session(session), ..self.clone() }
    }

    /// Streams the owner's events from a position on, in order per key, with heartbeats. Registers the subscription.
    ///
    /// # Errors
    /// As [`Channel::server_streaming`].
    pub async fn subscribe(&self, request: SubscribeRequest) -> Result<Messages<SubscribeResponse>, Error> {
        self.stub.subscribe(request, &self.options).await
    }

    /// Streams the entities of one type as they stand, tombstones included, in chunks by key.
    ///
    /// # Errors
    /// As [`Channel::server_streaming`].
    pub async fn snapshot(&self, request: SnapshotRequest) -> Result<Messages<SnapshotResponse>, Error> {
        self.stub.snapshot(request, &self.options).await
    }

    /// The entities of one type by their keys, as they stand.
    ///
    /// # Errors
    /// As [`Channel::unary`].
    pub async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Error> {
        self.stub.read(request, &self.options).await
    }

    /// The position after the last committed event.
    ///
    /// # Errors
    /// As [`Channel::unary`].
    pub async fn head(&self, request: HeadRequest) -> Result<HeadResponse, Error> {
        self.stub.head(request, &self.options).await
    }

    /// Moves a subscription: everything up to the position has taken effect at the consumer.
    ///
    /// # Errors
    /// As [`Channel::unary`].
    pub async fn ack(&self, request: AckRequest) -> Result<AckResponse, Error> {
        self.stub.ack(request, &self.options).await
    }
}
