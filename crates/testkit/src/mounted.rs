//! A generated server without a network: decode, field checks, handler, encode and session, as over the wire.
//!
//! What the server kit adds around it (access, deadlines, limits) is not here, so a test may call what no contract
//! declares. **Invariant:** every call passes through the generated dispatch; nothing reaches a handler by another way.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use freehold_wire::codec::Protobuf;
use freehold_wire::prost::Message;
use freehold_wire::{Context, Method, Session, deadline, metadata, reason};
use futures_util::Stream;
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::eventually::PATIENCE;

/// A generated server, called as one consumer, which waits for as long as an answer takes.
#[derive(Debug, Clone)]
pub struct Mounted<S> {
    server: S,
    caller: &'static str,
    budget: Option<Duration>,
    seen: Option<Vec<u8>>,
}

impl<S> Mounted<S>
where
    S: GrpcService<Body, ResponseBody = Body> + Clone,
    S::Error: Debug,
{
    /// Mounts a server for calls of the consumer `caller`.
    #[must_use]
    pub fn new(server: S, caller: &'static str) -> Self {
        Self { server, caller, budget: None, seen: None }
    }

    /// The same server, called by somebody who waits so long for an answer.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// The same server, called by somebody who has seen what this session has.
    #[must_use]
    pub fn having_seen(self, session: &Session) -> Self {
        Self { seen: session.encode(), ..self }
    }

    /// Calls a unary method without an idempotency key.
    ///
    /// # Errors
    /// What the server refuses with.
    pub async fn call<In, Out>(&self, method: &'static Method<In, Out>, request: In) -> Result<Out, Status>
    where
        In: Message + 'static,
        Out: Message + Default + 'static,
    {
        self.send(method, Request::new(request)).await.map(Response::into_inner)
    }

    /// Calls a unary method under an idempotency key. Whether the answer was recorded by an earlier call comes with it.
    ///
    /// # Errors
    /// What the server refuses with.
    pub async fn keyed<In, Out>(
        &self,
        method: &'static Method<In, Out>,
        key: &str,
        request: In,
    ) -> Result<(Out, bool), Status>
    where
        In: Message + 'static,
        Out: Message + Default + 'static,
    {
        let mut request = Request::new(request);
        insert(&mut request, metadata::IDEMPOTENCY_KEY, key)?;
        let response = self.send(method, request).await?;
        let replayed = response.metadata().contains_key(metadata::REPLAYED);
        Ok((response.into_inner(), replayed))
    }

    /// Calls a method that takes a stream.
    ///
    /// # Errors
    /// What the server refuses with.
    pub async fn collect<In, Out>(
        &self,
        method: &'static Method<In, Out>,
        messages: impl Stream<Item = In> + Send + 'static,
    ) -> Result<Out, Status>
    where
        In: Message + 'static,
        Out: Message + Default + 'static,
    {
        let request = self.headed(method, Request::new(messages))?;
        let (mut client, path) = self.client(method).await;
        let answer = client.client_streaming(request, path, Protobuf::<In, Out>::default()).await;
        answer.map(Response::into_inner)
    }

    /// Calls a method that answers with a stream.
    ///
    /// # Errors
    /// What the server refuses with before the first message.
    pub async fn open<In, Out>(
        &self,
        method: &'static Method<In, Out>,
        request: In,
    ) -> Result<Streaming<Out>, Status>
    where
        In: Message + 'static,
        Out: Message + Default + 'static,
    {
        let request = self.headed(method, Request::new(request))?;
        let (mut client, path) = self.client(method).await;
        let answer = client.server_streaming(request, path, Protobuf::<In, Out>::default()).await;
        answer.map(Response::into_inner)
    }

    async fn send<In, Out>(
        &self,
        method: &'static Method<In, Out>,
        request: Request<In>,
    ) -> Result<Response<Out>, Status>
    where
        In: Message + 'static,
        Out: Message + Default + 'static,
    {
        let request = self.headed(method, request)?;
        let (mut client, path) = self.client(method).await;
        client.unary(request, path, Protobuf::<In, Out>::default()).await
    }

    async fn client<In, Out>(&self, method: &'static Method<In, Out>) -> (Grpc<S>, PathAndQuery) {
        let mut client = Grpc::new(self.server.clone());
        if let Err(error) = client.ready().await {
            panic!("the server is not ready: {error:?}");
        }
        (client, PathAndQuery::from_static(method.rules().path))
    }

    fn headed<In, Out, T>(
        &self,
        method: &'static Method<In, Out>,
        mut request: Request<T>,
    ) -> Result<Request<T>, Status> {
        insert(&mut request, metadata::CALLER, self.caller)?;
        if let Some(seen) = &self.seen {
            request.metadata_mut().insert_bin(metadata::TOKEN, MetadataValue::from_bytes(seen));
        }
        match self.budget {
            Some(budget) => insert(&mut request, metadata::TIMEOUT, &deadline::format(budget))?,
            // A method's deadline is for its callers, and no matter of a test of what it does: the call is one that arrives
            // later. What is wrong with its metadata is for the server to say.
            None => {
                let headers = request.metadata().clone().into_headers();
                let context = Context::of_call(method.rules(), &headers, Instant::now() + PATIENCE);
                if let Ok(context) = context {
                    request.extensions_mut().insert(context);
                }
            }
        }
        Ok(request)
    }
}

fn insert<T>(request: &mut Request<T>, name: &'static str, value: &str) -> Result<(), Status> {
    let value =
        MetadataValue::try_from(value).map_err(|_| reason::bad_field(name, "is no metadata value"))?;
    request.metadata_mut().insert(name, value);
    Ok(())
}

/// The code and the reason of a refusal.
///
/// # Panics
/// It is none.
pub fn refusal<T: Debug>(answer: Result<T, Status>) -> (Code, String) {
    match answer {
        Ok(answer) => panic!("was not refused: {answer:?}"),
        Err(status) => (status.code(), reason::of(&status)),
    }
}

/// The fields that a refusal names, in the order in which it does.
///
/// # Panics
/// It is none, or names no field.
pub fn wrong_fields<T: Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = match answer {
        Ok(answer) => panic!("was not refused: {answer:?}"),
        Err(status) => status,
    };
    let Some(named) = tonic_types::StatusExt::get_details_bad_request(&status) else {
        panic!("names no field: {status}")
    };
    named.field_violations.into_iter().map(|violation| violation.field).collect()
}
