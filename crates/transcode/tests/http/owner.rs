//! The library's owner: a gRPC server whose answers each test brings along, byte by byte.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

/// A call as it reached the owner.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The name of the RPC alone.
    pub(crate) rpc: String,
    pub(crate) headers: HeaderMap,
    /// The encoded requests.
    pub(crate) requests: Vec<Bytes>,
}

/// Encoded replies; after an error there is nothing more.
pub(crate) type Replies = BoxStream<'static, Result<Vec<u8>, Status>>;
type Answering = Arc<dyn Fn(&Call) -> Replies + Send + Sync>;

/// The owner.
#[derive(Clone)]
pub(crate) struct Library {
    answering: Answering,
    /// The calls that came whole.
    pub(crate) calls: Arc<Mutex<Vec<Call>>>,
    /// How many calls have brought something.
    pub(crate) begun: Arc<Mutex<usize>>,
    /// How many calls broke off.
    pub(crate) broken: Arc<Mutex<usize>>,
    /// What replies carry beside the message.
    pub(crate) metadata: Arc<Mutex<HeaderMap>>,
}

/// A call on its way in. One that breaks off is seen to, or is dropped by the server before its handler sees it.
struct Course {
    broken: Arc<Mutex<usize>>,
    is_whole: bool,
}

impl Drop for Course {
    fn drop(&mut self) {
        if !self.is_whole {
            *self.broken.lock().unwrap() += 1;
        }
    }
}

impl Library {
    /// An owner that answers so.
    pub(crate) fn answering(answering: impl Fn(&Call) -> Replies + Send + Sync + 'static) -> Self {
        Self {
            answering: Arc::new(answering),
            calls: Arc::default(),
            begun: Arc::default(),
            broken: Arc::default(),
            metadata: Arc::default(),
        }
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let (head, mut body) = request.into_parts();
        let mut course = Course { broken: Arc::clone(&self.broken), is_whole: false };
        let mut sent = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => {
                    *self.begun.lock().unwrap() += usize::from(sent.is_empty());
                    sent.extend_from_slice(&data);
                }
                Ok(Err(_)) => {}
                Err(_) => return Status::cancelled("the request broke off").into_http(),
            }
        }
        course.is_whole = true;
        let rpc = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let call = Call { rpc, headers: head.headers, requests: messages(sent.into()) };
        self.calls.lock().unwrap().push(call.clone());
        let frames =
            (self.answering)(&call).map(framed).chain(stream::once(async { trailers(Status::ok("")) }));
        let ends = |ended: &mut bool, (frame, last): (Frame<Bytes>, bool)| {
            let open = !std::mem::replace(ended, *ended || last);
            std::future::ready(open.then_some(Ok::<_, Infallible>(frame)))
        };
        let mut response = Response::new(Body::new(StreamBody::new(frames.scan(false, ends))));
        response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        response.headers_mut().extend(self.metadata.lock().unwrap().clone());
        response
    }
}

/// The messages of a body.
fn messages(mut body: Bytes) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while body.len() >= 5 {
        body.advance(1);
        let length = body.get_u32() as usize;
        messages.push(body.split_to(length));
    }
    messages
}

/// A reply as a frame, and whether it is the last one.
fn framed(reply: Result<Vec<u8>, Status>) -> (Frame<Bytes>, bool) {
    match reply {
        Err(status) => trailers(status),
        Ok(message) => {
            let length = u32::try_from(message.len()).unwrap().to_be_bytes();
            (Frame::data(Bytes::from([&[0], &length[..], &message].concat())), false)
        }
    }
}

fn trailers(status: Status) -> (Frame<Bytes>, bool) {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).unwrap();
    (Frame::trailers(trailers), true)
}

impl NamedService for Library {
    const NAME: &'static str = "library.v1.LibraryService";
}

impl Service<Request<Body>> for Library {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async move { Ok(answer.await) })
    }
}
