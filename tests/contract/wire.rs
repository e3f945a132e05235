//! Calls below the SDK: any bytes, any headers, any path, as somebody sends them who knows no contract.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use freehold_testkit::PATIENCE;
use freehold_wire::metadata::{CALLER, TIMEOUT};
use freehold_wire::prost::bytes::{Buf, BufMut};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::Service;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};

/// A connection to one service: one, and never another in its place. Where something breaks it, all further calls fail.
#[derive(Clone)]
pub(crate) struct Wire {
    connection: SendRequest<Body>,
    origin: Uri,
}

/// What a call was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) message: Vec<u8>,
    pub(crate) metadata: MetadataMap,
}

impl Wire {
    /// Connects to the service at a URL.
    pub(crate) async fn to(url: &str) -> Self {
        let origin: Uri = url.parse().expect("the URL is one");
        let address = origin.authority().expect("the URL has an address").as_str();
        let stream = TcpStream::connect(address).await.expect("the service is connected");
        stream.set_nodelay(true).expect("the socket is open");
        let connecting = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (connection, serving) = connecting.await.expect("the service speaks HTTP/2");
        tokio::spawn(serving);
        Self { connection, origin }
    }

    /// Calls "package.Service/Method" with the bytes of a message.
    pub(crate) async fn call(
        &self,
        method: &str,
        headers: &HeaderMap,
        message: impl Into<Vec<u8>>,
    ) -> Result<Answer, Status> {
        let mut grpc = self.grpc(headers).await?;
        let request = tonic::Request::new(message.into());
        let called = grpc.unary(request, path(method), Raw);
        let (metadata, message, _) = bounded(method, called).await?.into_parts();
        Ok(Answer { message, metadata })
    }

    /// Calls a method that answers with a stream.
    pub(crate) async fn open(
        &self,
        method: &str,
        headers: &HeaderMap,
        message: impl Into<Vec<u8>>,
    ) -> Result<Streaming<Vec<u8>>, Status> {
        let mut grpc = self.grpc(headers).await?;
        let request = tonic::Request::new(message.into());
        let called = grpc.server_streaming(request, path(method), Raw);
        Ok(bounded(method, called).await?.into_inner())
    }

    async fn grpc(&self, headers: &HeaderMap) -> Result<Grpc<Headed>, Status> {
        let mut headers = headers.clone();
        if !headers.contains_key(TIMEOUT) {
            // The longest that a contract allows, so that a machine under load decides nothing.
            headers = with(headers, TIMEOUT, "60S");
        }
        let headed = Headed { connection: self.connection.clone(), headers: Arc::new(headers) };
        let mut grpc = Grpc::with_origin(headed, self.origin.clone());
        grpc.ready().await.map_err(|broken| Status::from_error(Box::new(broken)))?;
        Ok(grpc)
    }
}

/// Waits for a call, but not for ever.
pub(crate) async fn bounded<T>(what: &str, called: impl Future<Output = T>) -> T {
    let answered = tokio::time::timeout(PATIENCE, called).await;
    answered.unwrap_or_else(|_| panic!("{what} was not answered within {PATIENCE:?}"))
}

/// The headers of a caller that says no more than its name, or not even that.
pub(crate) fn named(caller: Option<&str>) -> HeaderMap {
    caller.map_or_else(HeaderMap::new, |name| with(HeaderMap::new(), CALLER, name))
}

/// The headers with one more, whatever its value.
pub(crate) fn with(mut headers: HeaderMap, name: &str, value: impl AsRef<[u8]>) -> HeaderMap {
    let name: HeaderName = name.parse().expect("a header has that name");
    headers.append(name, HeaderValue::from_bytes(value.as_ref()).expect("a header has that value"));
    headers
}

fn path(method: &str) -> PathAndQuery {
    format!("/{method}").parse().expect("the method is a path")
}

/// A connection that adds headers to each call, past all that checks them.
#[derive(Clone)]
struct Headed {
    connection: SendRequest<Body>,
    headers: Arc<HeaderMap>,
}

impl Service<Request<Body>> for Headed {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.connection.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        for (name, value) in self.headers.iter() {
            request.headers_mut().append(name, value.clone());
        }
        Box::pin(self.connection.send_request(request))
    }
}

/// Messages as their bytes.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length).to_vec()))
    }
}
