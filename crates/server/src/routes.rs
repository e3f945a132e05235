//! Which gRPC service answers which request: by the first segment of its path.
//!
//! A generated service knows its own methods; this finds the service. It stands in for a web framework's router, of
//! which a gRPC server needs nothing else.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

type Route = Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// The gRPC services of a server, by full name.
#[derive(Default)]
pub(crate) struct Routes(HashMap<&'static str, Route>);

impl Routes {
    /// Adds a service; whether there was none of that name.
    pub(crate) fn add<S>(&mut self, service: S) -> bool
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let route: Route = Box::new(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                let answer = match poll_fn(|context| service.poll_ready(context)).await {
                    Ok(()) => service.call(request).await,
                    Err(never) => match never {},
                };
                match answer {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            })
        });
        self.0.insert(S::NAME, route).is_none()
    }

    /// The names of the services, in order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// The answer of the service that the path names; `None` where there is none.
    pub(crate) fn call(&self, request: Request<Body>) -> Option<BoxFuture<'static, Response<Body>>> {
        let service = request.uri().path().strip_prefix('/')?.split('/').next()?;
        self.0.get(service).map(|route| route(request))
    }
}
