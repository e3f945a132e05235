//! `GET /metrics`: what the service has counted, on the port of its calls, over HTTP/1.1 and HTTP/2.
//!
//! It says how often and how long, by the names of the contract; nothing of what anybody asked or was told.

use freehold_metrics::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode, Version, header};
use tonic::body::Body;

use crate::meter::Meter;

const PATH: &str = "/metrics";

/// The answer to a request that asks for the metrics; `None` for any other.
pub(crate) fn answer<T>(request: &Request<T>, meter: &Meter) -> Option<Response<Body>> {
    let asked = request.uri().path() == PATH && matches!(*request.method(), Method::GET | Method::HEAD);
    asked.then(|| said(StatusCode::OK, CONTENT_TYPE, meter.scrape()))
}

/// The answer to whoever speaks HTTP/1.1 and asks for anything else, where there is nothing else; `None` for HTTP/2.
pub(crate) fn nothing_else<T>(request: &Request<T>) -> Option<Response<Body>> {
    let said = || said(StatusCode::NOT_FOUND, "text/plain", "here are gRPC and GET /metrics\n".to_owned());
    (request.version() < Version::HTTP_2).then(said)
}

fn said(code: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text));
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
