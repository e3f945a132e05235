//! What tonic takes on trust from a peer, checked before tonic sees it.
//!
//! Error details that are no base64 would panic in tonic; they are dropped. An answer that ends without a status looks
//! to tonic like an unknown error of the callee; it is a lost connection.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use freehold_wire::Reason;
use futures_util::TryFutureExt;
use futures_util::future::MapOk;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{self, Channel};
use tower_service::Service;

/// A connection whose answers are checked.
#[derive(Debug, Clone)]
pub(crate) struct Guarded(pub(crate) Channel);

impl Service<Request<Body>> for Guarded {
    type Response = Response<Body>;
    type Error = transport::Error;
    type Future = MapOk<<Channel as Service<Request<Body>>>::Future, fn(Response<Body>) -> Response<Body>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request).map_ok(guarded)
    }
}

fn guarded(mut response: Response<Body>) -> Response<Body> {
    drop_unreadable_details(response.headers_mut());
    // An answer of another HTTP status is none of gRPC; tonic reads its meaning from that status.
    let decided = response.headers().contains_key(Status::GRPC_STATUS) || response.status() != StatusCode::OK;
    response.map(|inner| Body::new(Answer { inner, decided }))
}

fn drop_unreadable_details(headers: &mut HeaderMap) {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let details = headers.get(Status::GRPC_STATUS_DETAILS);
    if details.is_some_and(|details| BASE64.decode(details).is_err()) {
        headers.remove(Status::GRPC_STATUS_DETAILS);
    }
}

/// The body of an answer, which has to end with a status.
struct Answer {
    inner: Body,
    decided: bool,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    drop_unreadable_details(trailers);
                    self.decided |= trailers.contains_key(Status::GRPC_STATUS);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None if !self.decided => {
                self.decided = true;
                Poll::Ready(Some(
                    Err(Reason::Unavailable.because("CONNECTION_LOST", "the answer has no end")),
                ))
            }
            ended => Poll::Ready(ended),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.decided && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
