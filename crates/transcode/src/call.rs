//! One HTTP request, as the call that it stands for: made in its caller's name, until its caller's deadline.
//!
//! In: a route and a request. Out: the owner's answer as JSON, or as a line of JSON per message where it is a stream.
//! **Invariant:** the owner hears the caller's own name, key, session and deadline, and decides; nothing is decided
//! here but what a request says.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use freehold_client::{CallOptions, Channel, Error, Mesh};
use freehold_wire::metadata::{REPLAYED, REQUEST_ID, TOKEN};
use freehold_wire::{Context, Encoded, Method, Reason, reason};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Response};
use http_body::Body as HttpBody;
use http_body_util::Full;
use tonic::Status;
use tonic::body::Body;

use crate::request::{self, Asked};
use crate::routes::Route;
use crate::{json, lines, status};

/// What a body of JSON is called.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What lines of JSON are called.
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// A call on its way.
struct Call {
    route: Arc<Route>,
    head: Parts,
    channel: Channel,
    options: CallOptions,
    method: Method<Encoded, Encoded>,
}

/// Answers a request for `route` that arrived at `arrived`.
pub(crate) async fn answer(
    mesh: &Mesh,
    route: &Arc<Route>,
    head: Parts,
    body: Body,
    arrived: Instant,
) -> Response<Body> {
    let context = match Context::of_call(route.rpc.rules, &head.headers, arrived) {
        Ok(context) => context,
        Err(refused) => return status::response(&refused),
    };
    let answered = match Call::new(mesh, Arc::clone(route), head, &context) {
        Ok(call) => call.answer(body, context.deadline()).await,
        Err(refused) => Err(refused),
    };
    finished(answered.unwrap_or_else(|refused| status::response(&refused)), &context)
}

impl Call {
    fn new(mesh: &Mesh, route: Arc<Route>, head: Parts, context: &Context) -> Result<Self, Status> {
        // Whoever calls cannot help it that the mesh has no such owner, or no address for it.
        let away = |error: Error| Reason::Unavailable.because(error.reason(), error.message());
        let channel = mesh.channel(route.rpc.owner).map_err(away)?.forwarding(context.caller());
        let options = CallOptions::new().within(context).with_deadline(context.remaining());
        let options = context.key().map_or_else(|| options.clone(), |key| options.with_key(key));
        let method = Method::new(*route.rpc.rules);
        Ok(Self { route, head, channel, options, method })
    }

    /// The deadline has counted since the request arrived: a body has what is left of it, and the channel what is left
    /// then.
    async fn answer(self, body: Body, deadline: Instant) -> Result<Response<Body>, Status> {
        if !body.is_end_stream() {
            request::check_content_type(&self.head.headers)?;
        }
        let rpc = &self.route.rpc.descriptor;
        match (rpc.is_client_streaming(), rpc.is_server_streaming()) {
            (false, false) => self.unary(body, deadline).await,
            (false, true) => self.server_streaming(body, deadline).await,
            (true, false) => self.client_streaming(body).await,
            (true, true) => Err(reason::unimplemented(format!(
                "{} streams both ways, which HTTP/JSON cannot; call it over gRPC",
                self.method.rules().name()
            ))),
        }
    }

    async fn unary(self, body: Body, deadline: Instant) -> Result<Response<Body>, Status> {
        let message = self.asked().message(&request::whole(body, deadline).await?)?;
        let reply = self.channel.unary_response(&self.method, message, &self.options).await?;
        let replayed = reply.metadata().contains_key(REPLAYED);
        let mut response = self.written(reply.into_inner())?;
        if replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    async fn server_streaming(self, body: Body, deadline: Instant) -> Result<Response<Body>, Status> {
        let message = self.asked().message(&request::whole(body, deadline).await?)?;
        let replies = self.channel.server_streaming(&self.method, message, &self.options).await?;
        Ok(with_type(Body::new(lines::written(self.route, replies)), LINES))
    }

    async fn client_streaming(self, body: Body) -> Result<Response<Body>, Status> {
        let route = Arc::clone(&self.route);
        let (path, query) = (self.head.uri.path().to_owned(), self.asked().query.to_owned());
        let read = move |line: &[u8]| Asked { route: &route, path: &path, query: &query }.message(line);
        let (messages, faulted) = lines::read(body, read);
        let reply = self.channel.client_streaming(&self.method, messages, &self.options);
        // A stream that ended where it breaks would look whole to the owner; the call is dropped instead.
        let reply = tokio::select! {
            biased;
            Ok(fault) = faulted => return Err(fault),
            reply = reply => reply?,
        };
        self.written(reply)
    }

    fn asked(&self) -> Asked<'_> {
        let uri = &self.head.uri;
        Asked { route: &self.route, path: uri.path(), query: uri.query().unwrap_or_default() }
    }

    fn written(&self, Encoded(reply): Encoded) -> Result<Response<Body>, Status> {
        let text = written(&self.route, reply)?;
        Ok(with_type(Body::new(Full::new(Bytes::from(text))), JSON))
    }
}

/// A reply as the route answers with it.
pub(crate) fn written(route: &Route, reply: Bytes) -> Result<Vec<u8>, Status> {
    let descriptor = route.rpc.descriptor.output();
    match &route.binding.answer {
        None => json::write(&descriptor, reply),
        Some(field) => json::write_field(&descriptor, field, reply),
    }
}

fn with_type(body: Body, content_type: HeaderValue) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// The answer with what a caller wants to know of its call besides: its name, and the session as it is now.
fn finished(mut response: Response<Body>, context: &Context) -> Response<Body> {
    let headers = response.headers_mut();
    // What an owner answers is for this caller, and as of now.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(context.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    let session = context.session().encode().map(|bytes| STANDARD_NO_PAD.encode(bytes));
    if let Some(Ok(session)) = session.map(HeaderValue::try_from) {
        headers.insert(TOKEN, session);
    }
    response
}
