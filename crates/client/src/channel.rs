//! A channel: the way to one service, for one consumer.
//!
//! In: a method, a message or a stream of them, options. Out: its answer, or why there is none. **Invariant:** the whole
//! call ends at its deadline, also where the callee stalls after the headers, half-way through a message or before the
//! trailers.

use std::fmt;
use std::sync::Arc;

use freehold_wire::{Caller, Method, Retry, Rules};
use futures_util::Stream;
use http::HeaderMap;
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Response};

use crate::cache::{Asking, Cache};
use crate::call::{Call, Try};
use crate::error::Error;
use crate::fault::Fault;
use crate::messages::Messages;
use crate::meter::MethodMeter;
use crate::options::CallOptions;
use crate::outgoing::Unsent;
use crate::policy::load::Verdict;
use crate::resolver::Resolver;
use crate::streamed::{Open, streaming};
use crate::transport::Lease;
use crate::transport::exchange::{Outgoing, open};
use crate::transport::replies::Replies;
use crate::way::Way;

/// The way to one service, for one consumer. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Channel {
    way: Arc<Way>,
    /// Who the calls are by.
    caller: Caller,
    /// What was answered before.
    cache: Arc<Cache>,
}

/// The only message of an answer, and what came before and behind it.
struct Answer<Reply> {
    reply: Reply,
    headers: HeaderMap,
    trailers: Option<HeaderMap>,
}

impl Channel {
    /// A channel to the service at `url`, for the consumer that calls itself `consumer`: "http://host:port", several of
    /// these with commas between them, or "file:///path" of a file with one host:port a line, which is watched. It
    /// connects when it is first used; a Tokio runtime must be there already.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what is no URL.
    pub fn new(consumer: &str, url: &str) -> Result<Self, Error> {
        Ok(Self::of(consumer, Way::to(consumer, url, None)?))
    }

    /// The same to a service of the mesh, by whose name its calls are counted.
    pub(crate) fn to_service(consumer: &str, service: &str, url: &str) -> Result<Self, Error> {
        Ok(Self::of(consumer, Way::to(consumer, url, Some(service))?))
    }

    /// A channel to the replicas that `resolver` names, now and later. `address` is what the channel calls itself in
    /// errors, and what it tells its callees that it looked for, as "http://host:port".
    ///
    /// # Errors
    /// INVALID_ARGUMENT for an address that is no URL.
    pub fn resolved_by(consumer: &str, address: &str, resolver: impl Resolver) -> Result<Self, Error> {
        Ok(Self::of(consumer, Way::resolved_by(consumer, address, Box::new(resolver))?))
    }

    fn of(consumer: &str, way: Way) -> Self {
        Self { way: Arc::new(way), caller: Caller::Named(consumer.into()), cache: Arc::default() }
    }

    /// The same channel for calls that are passed on: they go out under the name of `caller`, or without one where it
    /// is anonymous.
    ///
    /// This is for a gateway, and for nothing else. A gateway stands between a caller and an owner and decides nothing
    /// about access; if its calls bore its own name, whoever reaches it could do all that it may do. So the owner is
    /// told who asks, and decides for that caller. A service that makes a call of its own does so in its own name, for
    /// which its contract declares the call.
    #[must_use]
    pub fn forwarding(&self, caller: &Caller) -> Self {
        Self { caller: caller.clone(), ..self.clone() }
    }

    /// The consumer that it calls for; a channel that passes calls on keeps the name of the consumer that does so.
    #[must_use]
    pub fn consumer(&self) -> &str {
        self.way.consumer()
    }

    /// Where it leads: "http://host:port".
    #[must_use]
    pub fn address(&self) -> &str {
        self.way.address()
    }

    /// What the consumer has counted of all its calls, in whatever process part it made them: text for Prometheus, of the
    /// type `freehold_metrics::CONTENT_TYPE`.
    #[must_use]
    pub fn scrape(&self) -> String {
        self.way.meter().scrape()
    }

    /// What is counted of a method.
    pub(crate) fn meter(&self, method: &'static str) -> &MethodMeter {
        self.way.meter().method(method)
    }

    /// The same way for the consumer itself, without what was answered before.
    pub(crate) fn uncached(&self) -> Self {
        let consumer = self.way.consumer();
        Self { way: Arc::clone(&self.way), caller: Caller::Named(consumer.into()), cache: Arc::default() }
    }

    /// Who the calls are by.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Calls a method that takes one message and gives one. Where the contract declares a cache, the answer may be one
    /// that was given before.
    ///
    /// # Errors
    /// What the callee refuses it with; UNAVAILABLE, DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED also from here.
    pub async fn unary<Request, Reply>(
        &self,
        method: &Method<Request, Reply>,
        request: Request,
        options: &CallOptions,
    ) -> Result<Reply, Error>
    where
        Request: Message + 'static,
        Reply: Message + Default + 'static,
    {
        match &method.rules().cache {
            None => self.asked(method, request, options).await.map(|answer| answer.reply),
            Some(rules) => {
                let asking = Asking { channel: self, method, rules, options };
                asking.answer(&self.cache, request).await
            }
        }
    }

    /// The same at its owner, and beside the reply its metadata: whether it is that of an earlier call under the same
    /// key, say.
    ///
    /// # Errors
    /// As [`Channel::unary`].
    pub async fn unary_response<Request, Reply>(
        &self,
        method: &Method<Request, Reply>,
        request: Request,
        options: &CallOptions,
    ) -> Result<Response<Reply>, Error>
    where
        Request: Message + 'static,
        Reply: Message + Default + 'static,
    {
        let Answer { reply, mut headers, trailers } = self.asked(method, request, options).await?;
        headers.extend(trailers.unwrap_or_default());
        Ok(Response::from_parts(MetadataMap::from_headers(headers), reply, Extensions::default()))
    }

    async fn asked<Request, Reply>(
        &self,
        method: &Method<Request, Reply>,
        request: Request,
        options: &CallOptions,
    ) -> Result<Answer<Reply>, Error>
    where
        Request: Message + 'static,
        Reply: Message + Default + 'static,
    {
        let mut call = self.begun(method.rules(), options)?;
        let bytes = call.encoded(&request)?;
        let attempt = |lease, this| self.only(&call, lease, this, Outgoing::Whole(bytes.clone()));
        let outcome = self.way.run(&call, call.retry == Retry::Safe, attempt, || true).await;
        call.ended(&outcome);
        outcome
    }

    /// Calls a method that takes one message and gives a stream; its deadline is the greatest age of the stream.
    ///
    /// # Errors
    /// As [`Channel::unary`]; once the stream is open, its errors come as items.
    pub async fn server_streaming<Request, Reply>(
        &self,
        method: &Method<Request, Reply>,
        request: Request,
        options: &CallOptions,
    ) -> Result<Messages<Reply>, Error>
    where
        Request: Message + 'static,
        Reply: Message + Default + 'static,
    {
        let mut call = self.begun(method.rules(), options)?;
        let bytes = call.encoded(&request)?;
        let attempt = |lease, this| self.open(&call, lease, this, Outgoing::Whole(bytes.clone()));
        let open = self.way.run(&call, false, attempt, || true).await;
        streaming(call, open)
    }

    /// Calls a method that takes a stream and gives one message.
    ///
    /// # Errors
    /// As [`Channel::unary`].
    pub async fn client_streaming<Request, Reply>(
        &self,
        method: &Method<Request, Reply>,
        requests: impl Stream<Item = Request> + Send + 'static,
        options: &CallOptions,
    ) -> Result<Reply, Error>
    where
        Request: Message + 'static,
        Reply: Message + Default + 'static,
    {
        let mut call = self.begun(method.rules(), options)?;
        let unsent = Unsent::new(requests);
        let attempt = |lease, this| self.only(&call, lease, this, Outgoing::Stream(unsent.offer()));
        let outcome = self.way.run(&call, false, attempt, || unsent.is_whole()).await;
        call.ended(&outcome);
        outcome.map(|answer| answer.reply)
    }

    /// Calls a method that takes a stream and gives one; its deadline is the greatest age of both.
    ///
    /// # Errors
    /// As [`Channel::server_streaming`].
    pub async fn duplex<Request, Reply>(
        &self,
        method: &Method<Request, Reply>,
        requests: impl Stream<Item = Request> + Send + 'static,
        options: &CallOptions,
    ) -> Result<Messages<Reply>, Error>
    where
        Request: Message + 'static,
        Reply: Message + Default + 'static,
    {
        let call = self.begun(method.rules(), options)?;
        let unsent = Unsent::new(requests);
        let attempt = |lease, this| self.open(&call, lease, this, Outgoing::Stream(unsent.offer()));
        let open = self.way.run(&call, false, attempt, || unsent.is_whole()).await;
        streaming(call, open)
    }

    fn begun(&self, rules: &Rules, options: &CallOptions) -> Result<Call, Error> {
        Call::begin(rules, &self.caller, options, self.way.meter().method(rules.name()))
    }

    /// One attempt, up to the only message of its answer and the status behind it.
    async fn only<Reply: Message + Default>(
        &self,
        call: &Call,
        mut lease: Lease,
        this: Try,
        outgoing: Outgoing,
    ) -> Result<Answer<Reply>, Fault> {
        let answered = async {
            let (headers, mut replies) = self.begin(call, &lease, this, outgoing).await?;
            let reply = replies.only().await?;
            let trailers = replies.trailers();
            trailers.iter().for_each(|trailers| call.saw(trailers));
            Ok(Answer { reply, headers, trailers })
        };
        let answered = answered.await;
        let took = settle(call, &mut lease, &answered);
        if answered.is_ok() && call.retry == Retry::Safe {
            self.way.took(call, took);
        }
        answered
    }

    /// One attempt, up to the headers of its answer.
    async fn open<Reply: Message + Default>(
        &self,
        call: &Call,
        mut lease: Lease,
        this: Try,
        outgoing: Outgoing,
    ) -> Result<Open<Reply>, Fault> {
        let begun = self.begin(call, &lease, this, outgoing).await;
        settle(call, &mut lease, &begun);
        begun.map(|(_, replies)| Open { replies, lease })
    }

    async fn begin<Reply: Message + Default>(
        &self,
        call: &Call,
        lease: &Lease,
        this: Try,
        outgoing: Outgoing,
    ) -> Result<(HeaderMap, Replies<Reply>), Fault> {
        let head = call.head(self.way.authority(), this).map_err(Fault::Unsent)?;
        let (headers, replies) = open(lease.sender(), head, outgoing).await?;
        call.saw(&headers);
        Ok((headers, replies))
    }
}

/// Closes the books of an attempt, whose refusal may say what its callee has seen.
fn settle<Answer>(call: &Call, lease: &mut Lease, outcome: &Result<Answer, Fault>) -> std::time::Duration {
    let Err(fault) = outcome else { return lease.judge(Verdict::Served) };
    if let Fault::Answer(status) = fault {
        call.saw(status.metadata().as_ref());
    }
    if fault.ends_connection() {
        lease.is_ending();
    }
    lease.judge(fault.verdict())
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = &mut f.debug_struct("Channel");
        fields
            .field("consumer", &self.way.consumer())
            .field("address", &self.way.address())
            .finish_non_exhaustive()
    }
}
