//! What answers a request that is not gRPC: one service beside the gRPC ones, on the same port.
//!
//! In: any HTTP request that does not say that it is gRPC. Out: the service's answer. What such a request means, who
//! makes it and until when is for the service to read; of the stack around gRPC it has the limits and the catching of
//! panics, and nothing else.

use std::convert::Infallible;
use std::future::poll_fn;

use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode, Version};
use tonic::body::Body;
use tower_service::Service;

use crate::contained::contained;

/// The service that answers what is not gRPC.
pub(crate) struct Web(Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Response<Body>> + Send + Sync>);

impl Web {
    /// Answers with `service`.
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(Box::new(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                let Ok(()) = poll_fn(|context| service.poll_ready(context)).await;
                let Ok(response) = service.call(request).await;
                response
            })
        }))
    }

    /// The service's answer; 500 where it panics.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        contained((self.0)(request)).await.unwrap_or_else(|_| {
            let mut broken = Response::new(Body::empty());
            *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            broken
        })
    }
}

/// Whether a request is a gRPC call, which there is over HTTP/2 alone.
pub(crate) fn is_grpc<T>(request: &Request<T>) -> bool {
    let said = request.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
    let rest = said.and_then(|said| said.strip_prefix(b"application/grpc"));
    request.version() == Version::HTTP_2 && matches!(rest, Some([] | [b'+' | b';', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_told_by_its_content_type_over_http_2() {
        let of = |version, said: &str| {
            is_grpc(&Request::builder().version(version).header(CONTENT_TYPE, said).body(()).unwrap())
        };
        for said in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
            assert!(of(Version::HTTP_2, said), "{said}");
            assert!(!of(Version::HTTP_11, said), "{said}");
        }
        for said in ["", "application/json", "application/grpc-web", "text/application/grpc"] {
            assert!(!of(Version::HTTP_2, said), "{said}");
        }
    }
}
