//! One attempt on one connection: what is sent, and the beginning of what comes back.
//!
//! In: the head of a request and its messages. Out: the headers of the answer and its messages to come. What is dropped
//! before its end is cancelled at the peer.

use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use tonic::{Code, Status};

use super::pump::Pump;
use super::replies::{Replies, status};
use crate::fault::Fault;
use crate::outgoing::Offered;

/// What an attempt sends.
pub(crate) enum Outgoing {
    /// One message, framed.
    Whole(Bytes),
    /// Messages as they come.
    Stream(Offered),
}

/// The head of a gRPC request.
pub(crate) fn request(authority: Authority, path: PathAndQuery, mut headers: HeaderMap) -> Request<()> {
    const AGENT: &str = concat!("freehold/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    // Three parts that are there make an URI always.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

/// Sends a request and waits for the headers of its answer.
pub(crate) async fn open<Reply>(
    mut send: SendRequest<Bytes>,
    head: Request<()>,
    outgoing: Outgoing,
) -> Result<(HeaderMap, Replies<Reply>), Fault> {
    // What fails here has not left: the connection takes no more calls.
    let (response, mut stream) = send.send_request(head, false).map_err(Fault::Returned)?;
    // A handle that is kept would keep the connection.
    drop(send);
    let pump = match outgoing {
        Outgoing::Whole(message) => {
            // A stream that is closed already says why in its response.
            let _closed = stream.send_data(message, true);
            None
        }
        Outgoing::Stream(offered) => Some(Pump::start(stream, offered)),
    };
    let (head, body) = response.await.map_err(Fault::of)?.into_parts();
    if let Some(decided) = status(&head.headers) {
        decided.map_err(Fault::Answer)?;
        return Ok((head.headers, Replies::new(body, pump, true)));
    }
    if head.status != StatusCode::OK {
        return Err(Fault::Answer(of_http(head.status)));
    }
    Ok((head.headers, Replies::new(body, pump, false)))
}

/// What an answer without a gRPC status means. Source: "HTTP to gRPC Status Code Mapping".
fn of_http(status: StatusCode) -> Status {
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("the answer is none of gRPC, it has the HTTP status {}", status.as_u16()))
}
