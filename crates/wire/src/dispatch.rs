//! What a generated server does with a call: context, decode, field checks, handler, encode, session.
//!
//! One function per kind of method. The server kit leaves the context of the call in the request's extensions; where a
//! service is mounted without the kit, it is made here. **Invariant:** a reply, a refusal too, carries the session.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Poller, Poll};
use std::time::Instant;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use http_body::Body as HttpBody;
use prost::Message;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::server::{ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};

use crate::check::{Check, check};
use crate::codec::Protobuf;
use crate::committed::Committed;
use crate::context::Context;
use crate::metadata;
use crate::method::{Method, Rules};
use crate::reason::{self, Reason};
use crate::session::Session;

/// The answer to an HTTP request, on its way.
pub type Answer =
    Pin<Box<dyn Future<Output = Result<http::Response<Body>, std::convert::Infallible>> + Send>>;

/// The messages of a stream, in either direction.
pub struct Messages<T>(BoxStream<'static, Result<T, Status>>);

impl<T> Messages<T> {
    /// The messages of `stream`.
    #[must_use]
    pub fn new(stream: impl Stream<Item = Result<T, Status>> + Send + 'static) -> Self {
        Self(stream.boxed())
    }

    /// The same stream with its messages in another shape.
    #[must_use]
    pub fn map<Other>(self, mut shape: impl FnMut(T) -> Other + Send + 'static) -> Messages<Other>
    where
        T: 'static,
    {
        Messages::new(self.0.map(move |message| message.map(&mut shape)))
    }
}

impl<T> std::fmt::Debug for Messages<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Messages")
    }
}

impl<T> Stream for Messages<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Poller<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

/// The largest message that is taken, in bytes; gRPC's own default.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// Answers a read.
pub fn read<In, Out, B, H, F>(
    method: &'static Method<In, Out>,
    request: http::Request<B>,
    handler: H,
) -> Answer
where
    In: Message + Default + Check + 'static,
    Out: Message + 'static,
    B: HttpBody + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
    H: FnOnce(Context, In) -> F + Send + 'static,
    F: Future<Output = Result<Out, Status>> + Send + 'static,
{
    answer(method.rules(), request, move |context, request| async move {
        let session = context.session().clone();
        let unary = Once::new(move |message: Request<In>| async move {
            let message = message.into_inner();
            check(&message)?;
            handler(context, message).await.map(Response::new)
        });
        grpc::<Out, In>().unary(Sessioned(unary, session), request).await
    })
}

/// Answers a write: its handler can only answer with what has been committed.
pub fn write<In, Out, B, H, F>(
    method: &'static Method<In, Out>,
    request: http::Request<B>,
    handler: H,
) -> Answer
where
    In: Message + Default + Check + 'static,
    Out: Message + 'static,
    B: HttpBody + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
    H: FnOnce(Context, In) -> F + Send + 'static,
    F: Future<Output = Result<Committed<Out>, Status>> + Send + 'static,
{
    answer(method.rules(), request, move |context, request| async move {
        let session = context.session().clone();
        let unary = Once::new(move |message: Request<In>| async move {
            let message = message.into_inner();
            check(&message)?;
            let context = context.with_request(&message);
            let session = context.session().clone();
            let committed = handler(context, message).await?;
            Ok(reply(committed, &session))
        });
        grpc::<Out, In>().unary(Sessioned(unary, session), request).await
    })
}

/// Answers with a stream.
pub fn stream<In, Out, B, H, F>(
    method: &'static Method<In, Out>,
    request: http::Request<B>,
    handler: H,
) -> Answer
where
    In: Message + Default + Check + 'static,
    Out: Message + 'static,
    B: HttpBody + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
    H: FnOnce(Context, In) -> F + Send + 'static,
    F: Future<Output = Result<Messages<Out>, Status>> + Send + 'static,
{
    answer(method.rules(), request, move |context, request| async move {
        let stream = Once::new(move |message: Request<In>| async move {
            let message = message.into_inner();
            check(&message)?;
            handler(context, message).await.map(Response::new)
        });
        grpc::<Out, In>().server_streaming(stream, request).await
    })
}

/// Answers a stream with one message.
pub fn collect<In, Out, B, H, F>(
    method: &'static Method<In, Out>,
    request: http::Request<B>,
    handler: H,
) -> Answer
where
    In: Message + Default + Check + 'static,
    Out: Message + 'static,
    B: HttpBody + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
    H: FnOnce(Context, Messages<In>) -> F + Send + 'static,
    F: Future<Output = Result<Out, Status>> + Send + 'static,
{
    answer(method.rules(), request, move |context, request| async move {
        let collect = Once::new(move |messages: Request<Streaming<In>>| async move {
            handler(context, checked(messages.into_inner())).await.map(Response::new)
        });
        grpc::<Out, In>().client_streaming(collect, request).await
    })
}

/// Answers a stream with a stream.
pub fn duplex<In, Out, B, H, F>(
    method: &'static Method<In, Out>,
    request: http::Request<B>,
    handler: H,
) -> Answer
where
    In: Message + Default + Check + 'static,
    Out: Message + 'static,
    B: HttpBody + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
    H: FnOnce(Context, Messages<In>) -> F + Send + 'static,
    F: Future<Output = Result<Messages<Out>, Status>> + Send + 'static,
{
    answer(method.rules(), request, move |context, request| async move {
        let duplex = Once::new(move |messages: Request<Streaming<In>>| async move {
            handler(context, checked(messages.into_inner())).await.map(Response::new)
        });
        grpc::<Out, In>().streaming(duplex, request).await
    })
}

/// Answers a path that the service does not have.
#[must_use]
pub fn unknown_method(path: &str) -> Answer {
    let status = reason::unimplemented(format!("there is no method {path}"));
    Box::pin(async move { Ok(status.into_http()) })
}

fn answer<B, H, F>(rules: &'static Rules, request: http::Request<B>, handler: H) -> Answer
where
    B: Send + 'static,
    H: FnOnce(Context, http::Request<B>) -> F + Send + 'static,
    F: Future<Output = http::Response<Body>> + Send + 'static,
{
    let context = match request.extensions().get::<Context>() {
        Some(context) => Ok(context.clone()),
        None => Context::of_call(rules, request.headers(), Instant::now()),
    };
    Box::pin(async move {
        match context {
            Ok(context) => Ok(handler(context, request).await),
            Err(refused) => Ok(refused.into_http()),
        }
    })
}

fn grpc<Out: Message + 'static, In: Message + Default + 'static>() -> Grpc<Protobuf<Out, In>> {
    // The limit counts for what comes out of a compressed message, too. Answers are never compressed.
    Grpc::new(Protobuf::default())
        .max_decoding_message_size(MAX_MESSAGE)
        .accept_compressed(CompressionEncoding::Gzip)
}

fn checked<In: Check + Send + 'static>(messages: Streaming<In>) -> Messages<In> {
    Messages::new(messages.map(|message| message.and_then(|message| check(&message).map(|()| message))))
}

fn reply<Out>(committed: Committed<Out>, session: &Session) -> Response<Out> {
    let replayed = committed.replayed();
    let (reply, token) = committed.into_parts();
    session.saw(token);
    let mut response = Response::new(reply);
    if replayed {
        response.metadata_mut().insert(metadata::REPLAYED, MetadataValue::from_static("true"));
    }
    response
}

/// Puts the session into the metadata of whatever the handler answers.
struct Sessioned<S>(S, Session);

impl<In, S> UnaryService<In> for Sessioned<S>
where
    S: UnaryService<In>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Future = Pin<Box<dyn Future<Output = Result<Response<S::Response>, Status>> + Send>>;

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let (answer, session) = (self.0.call(request), self.1.clone());
        Box::pin(async move {
            let mut answer = answer.await;
            if let Some(bytes) = session.encode() {
                let headers = match &mut answer {
                    Ok(response) => response.metadata_mut(),
                    Err(status) => status.metadata_mut(),
                };
                headers.insert_bin(metadata::TOKEN, MetadataValue::from_bytes(&bytes));
            }
            answer
        })
    }
}

/// A handler that is called once, in the shapes that tonic wants.
struct Once<H>(Option<H>);

impl<H> Once<H> {
    fn new(handler: H) -> Self {
        Self(Some(handler))
    }

    fn run<In, Out, F>(&mut self, request: In) -> Pin<Box<dyn Future<Output = Result<Out, Status>> + Send>>
    where
        H: FnOnce(In) -> F,
        F: Future<Output = Result<Out, Status>> + Send + 'static,
    {
        match self.0.take() {
            Some(handler) => Box::pin(handler(request)),
            None => Box::pin(async { Err(Reason::Internal.status("a handler ran twice")) }),
        }
    }
}

type Running<Out> = Pin<Box<dyn Future<Output = Result<Response<Out>, Status>> + Send>>;

impl<In, Out, H, F> UnaryService<In> for Once<H>
where
    H: FnOnce(Request<In>) -> F,
    F: Future<Output = Result<Response<Out>, Status>> + Send + 'static,
{
    type Response = Out;
    type Future = Running<Out>;

    fn call(&mut self, request: Request<In>) -> Self::Future {
        self.run(request)
    }
}

impl<In, Out, H, F> ServerStreamingService<In> for Once<H>
where
    H: FnOnce(Request<In>) -> F,
    F: Future<Output = Result<Response<Messages<Out>>, Status>> + Send + 'static,
{
    type Response = Out;
    type ResponseStream = Messages<Out>;
    type Future = Running<Messages<Out>>;

    fn call(&mut self, request: Request<In>) -> Self::Future {
        self.run(request)
    }
}

impl<In, Out, H, F> ClientStreamingService<In> for Once<H>
where
    H: FnOnce(Request<Streaming<In>>) -> F,
    F: Future<Output = Result<Response<Out>, Status>> + Send + 'static,
{
    type Response = Out;
    type Future = Running<Out>;

    fn call(&mut self, request: Request<Streaming<In>>) -> Self::Future {
        self.run(request)
    }
}

impl<In, Out, H, F> StreamingService<In> for Once<H>
where
    H: FnOnce(Request<Streaming<In>>) -> F,
    F: Future<Output = Result<Response<Messages<Out>>, Status>> + Send + 'static,
{
    type Response = Out;
    type ResponseStream = Messages<Out>;
    type Future = Running<Messages<Out>>;

    fn call(&mut self, request: Request<Streaming<In>>) -> Self::Future {
        self.run(request)
    }
}
