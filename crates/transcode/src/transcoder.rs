//! The transcoder: HTTP/JSON requests in, answers out, by way of the mesh.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use freehold_client::Mesh;
use freehold_wire::{Contract, Reason};
use futures_util::future::BoxFuture;
use http::header::ALLOW;
use http::{HeaderValue, Method as Verb, Request, Response, StatusCode};
use tonic::body::Body;
use tower_service::Service;

use crate::routes::{Found, Routes};
use crate::schema::SchemaError;
use crate::{call, status};

/// HTTP/JSON in front of a mesh. Cloning is cheap.
#[derive(Clone)]
pub struct Transcoder(Arc<Inner>);

struct Inner {
    routes: Routes,
    mesh: Mesh,
}

impl Transcoder {
    /// A transcoder of every RPC that an owner of the contract has, called where the mesh says that its owner is.
    ///
    /// # Errors
    /// [`SchemaError`]: the descriptors are damaged, or an HTTP option in them makes no sense.
    pub fn new(contract: &'static Contract, mesh: Mesh) -> Result<Self, SchemaError> {
        Ok(Self(Arc::new(Inner { routes: Routes::of(contract)?, mesh })))
    }

    /// Answers a request, always.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let arrived = Instant::now();
        let (head, body) = request.into_parts();
        let only_head = head.method == Verb::HEAD;
        let mut response = match self.0.routes.find(&head.method, head.uri.path()) {
            Found::Route(route) => call::answer(&self.0.mesh, route, head, body, arrived).await,
            Found::OtherVerbs(verbs) => wrong_verb(&head.method, &verbs.into_iter().collect::<Vec<_>>()),
            Found::Nothing(near) => unknown_route(head.uri.path(), near),
        };
        if only_head {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

impl Service<Request<Body>> for Transcoder {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let transcoder = self.clone();
        Box::pin(async move { Ok(transcoder.answer(request).await) })
    }
}

impl fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcoder").field("mesh", &self.0.mesh).finish_non_exhaustive()
    }
}

fn wrong_verb(verb: &Verb, verbs: &[String]) -> Response<Body> {
    let allowed = verbs.join(", ");
    let shown: String = verb.as_str().chars().take(20).collect();
    let refused =
        Reason::InvalidArgument.because("WRONG_VERB", format!("{shown} is not among {allowed} here"));
    let mut response = status::response_as(StatusCode::METHOD_NOT_ALLOWED, &refused);
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

fn unknown_route(path: &str, near: Option<&str>) -> Response<Body> {
    let path: String = path.chars().take(200).collect();
    let mut message = format!("there is nothing at {path}");
    if let Some(near) = near {
        message.push_str(&format!("; did you mean {near}?"));
    }
    status::response(&Reason::NotFound.because("UNKNOWN_ROUTE", message))
}
