//! A channel: the way to one service, for one consumer.
//!
//! One attempt per call, and further ones while the callee provably has not seen it: it cannot be reached, or it is
//! ending. **Invariant:** the whole call ends at its deadline, also where the callee stalls after the headers, half-way
//! through a message or before the trailers.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use freehold_wire::dispatch::MAX_MESSAGE;
use freehold_wire::{Caller, Method};
use futures_util::{Stream, StreamExt, stream};
use prost::Message;
use tokio::time::{sleep, timeout_at};
use tonic::client::Grpc;
use tonic::{Response, Status, Streaming};

use crate::cache::{Asking, Cache};
use crate::call::Call;
use crate::codec::{Encoded, encode};
use crate::error::Error;
use crate::guard::Guarded;
use crate::messages::Messages;
use crate::options::CallOptions;
use crate::outgoing::Unsent;
use crate::{connect, fault};

/// The way to one service, for one consumer. Cloning is cheap and shares the connection.
#[derive(Clone)]
pub struct Channel {
    way: Arc<Way>,
    /// Who the calls are by.
    caller: Caller,
    /// What was answered before.
    cache: Arc<Cache>,
}

struct Way {
    consumer: String,
    address: String,
    transport: Guarded,
}

impl Channel {
    /// A channel to the service at `url`, "http://host:port", for the consumer that calls itself `consumer`. It
    /// connects when it is first used; a Tokio runtime must be there already.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what is no URL.
    pub fn new(consumer: &str, url: &str) -> Result<Self, Error> {
        let transport = Guarded(connect::lazily(url)?);
        let way = Way { consumer: consumer.to_owned(), address: url.to_owned(), transport };
        Ok(Self { way: Arc::new(way), caller: Caller::Named(consumer.into()), cache: Arc::default() })
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
        &self.way.consumer
    }

    /// Where it leads: "http://host:port".
    #[must_use]
    pub fn address(&self) -> &str {
        &self.way.address
    }

    /// The same way for the consumer itself, without what was answered before.
    pub(crate) fn uncached(&self) -> Self {
        let consumer = self.way.consumer.as_str();
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
            None => self.unary_response(method, request, options).await.map(Response::into_inner),
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
        let call = Call::begin(method.rules(), &self.caller, options)?;
        let bytes = encode(&request).map_err(|refused| Error::of_unprocessed(call.method, refused))?;
        let attempt = || async {
            let request = call.request(bytes.clone())?;
            let mut grpc = self.ready(&call).await?;
            self.heard(&call, grpc.unary(request, call.path.clone(), Encoded::default()).await)
        };
        self.run(&call, attempt, || true).await
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
        let call = Call::begin(method.rules(), &self.caller, options)?;
        let bytes = encode(&request).map_err(|refused| Error::of_unprocessed(call.method, refused))?;
        let attempt = || async {
            let request = call.request(bytes.clone())?;
            let mut grpc = self.ready(&call).await?;
            self.answer(&call, grpc.server_streaming(request, call.path.clone(), Encoded::default()).await)
        };
        let replies = self.run(&call, attempt, || true).await?;
        Ok(self.messages(call, replies))
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
        let call = Call::begin(method.rules(), &self.caller, options)?;
        let unsent = Unsent::new(requests);
        let attempt = || async {
            let request = call.request(unsent.offer())?;
            let mut grpc = self.ready(&call).await?;
            self.answer(&call, grpc.client_streaming(request, call.path.clone(), Encoded::default()).await)
        };
        self.run(&call, attempt, || unsent.is_whole()).await
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
        let call = Call::begin(method.rules(), &self.caller, options)?;
        let unsent = Unsent::new(requests);
        let attempt = || async {
            let request = call.request(unsent.offer())?;
            let mut grpc = self.ready(&call).await?;
            self.answer(&call, grpc.streaming(request, call.path.clone(), Encoded::default()).await)
        };
        let replies = self.run(&call, attempt, || unsent.is_whole()).await?;
        Ok(self.messages(call, replies))
    }

    /// Runs attempts until one is answered, one cannot be repeated, or no time is left for another.
    async fn run<Answer, Attempt>(
        &self,
        call: &Call,
        attempt: impl Fn() -> Attempt,
        repeatable: impl Fn() -> bool,
    ) -> Result<Answer, Error>
    where
        Attempt: Future<Output = Result<Answer, Error>>,
    {
        let mut waits = connect::waits();
        loop {
            let failure = match timeout_at(call.deadline.into(), attempt()).await {
                Err(_) => return Err(fault::deadline_exceeded(call.method)),
                Ok(Err(failure)) if failure.is_unavailable() && failure.is_unprocessed() && repeatable() => {
                    failure
                }
                Ok(outcome) => return outcome,
            };
            match waits.next() {
                Some(wait) if Instant::now() + wait < call.deadline => sleep(wait).await,
                _ => return Err(failure),
            }
        }
    }

    /// The transport, with room for one more call.
    async fn ready(&self, call: &Call) -> Result<Grpc<Guarded>, Error> {
        let mut grpc = Grpc::new(self.way.transport.clone()).max_decoding_message_size(MAX_MESSAGE);
        match grpc.ready().await {
            Ok(()) => Ok(grpc),
            Err(broken) => {
                Err(fault::error(call.method, self.address(), Status::from_error(Box::new(broken))))
            }
        }
    }

    fn answer<Answer>(&self, call: &Call, answer: Result<Response<Answer>, Status>) -> Result<Answer, Error> {
        self.heard(call, answer).map(Response::into_inner)
    }

    /// Takes the session out of an answer, or out of a refusal.
    fn heard<Answer>(
        &self,
        call: &Call,
        answer: Result<Response<Answer>, Status>,
    ) -> Result<Response<Answer>, Error> {
        match answer {
            Ok(response) => {
                call.saw(response.metadata());
                Ok(response)
            }
            Err(status) => {
                call.saw(status.metadata());
                Err(fault::error(call.method, self.address(), status))
            }
        }
    }

    /// The replies until the deadline, and nothing after an error.
    fn messages<Reply: Send + 'static>(&self, call: Call, replies: Streaming<Reply>) -> Messages<Reply> {
        let channel = self.clone();
        Messages::new(stream::unfold(Some((call, replies)), move |open| {
            let channel = channel.clone();
            async move {
                let (call, mut replies) = open?;
                match channel.reply(&call, &mut replies).await? {
                    Ok(reply) => Some((Ok(reply), Some((call, replies)))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        }))
    }

    async fn reply<Reply>(
        &self,
        call: &Call,
        replies: &mut Streaming<Reply>,
    ) -> Option<Result<Reply, Error>> {
        // A timer looks at the clock only where there is nothing to read; a stream that always has something would
        // outlive it.
        if Instant::now() >= call.deadline {
            return Some(Err(fault::deadline_exceeded(call.method)));
        }
        match timeout_at(call.deadline.into(), replies.next()).await {
            Err(_) => Some(Err(fault::deadline_exceeded(call.method))),
            Ok(None) => None,
            Ok(Some(reply)) => Some(self.answer(call, reply.map(Response::new))),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = &mut f.debug_struct("Channel");
        fields
            .field("consumer", &self.way.consumer)
            .field("address", &self.way.address)
            .finish_non_exhaustive()
    }
}
