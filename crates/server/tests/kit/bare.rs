//! A caller without tonic: the bytes that it sends are the test's own.

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Status;

use crate::echo::PATIENCE;

/// An HTTP/2 connection. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Bare(SendRequest<Bytes>);

/// What was answered.
pub(crate) struct Answered {
    /// The headers and the trailers together.
    pub(crate) metadata: HeaderMap,
    /// The gRPC status.
    pub(crate) status: Status,
}

impl Bare {
    pub(crate) async fn connect(authority: &str) -> Self {
        let socket = TcpStream::connect(authority).await.unwrap();
        let (send, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    /// Calls `path` with these headers and body, both exactly as they are.
    pub(crate) async fn call(&mut self, path: &str, headers: HeaderMap, body: Bytes) -> Answered {
        timeout(PATIENCE, self.send(path, headers, body)).await.expect("no answer")
    }

    /// Sends a call, and comes back before it is answered: what is sent after it arrives after it.
    pub(crate) async fn begin(
        &mut self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl Future<Output = Answered> + use<> {
        let answer = self.exchange(path, headers, body).await;
        async { answered(answer.await.0) }
    }

    /// Asks for `path` without calling anything, and gives the body of the answer.
    pub(crate) async fn ask(&mut self, path: &str, headers: HeaderMap) -> Bytes {
        let answer = async { self.exchange(path, headers, Bytes::new()).await.await };
        timeout(PATIENCE, answer).await.expect("no answer").1
    }

    async fn send(&mut self, path: &str, headers: HeaderMap, body: Bytes) -> Answered {
        answered(self.exchange(path, headers, body).await.await.0)
    }

    async fn exchange(
        &mut self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl Future<Output = (HeaderMap, Bytes)> + use<> {
        let mut request = Request::post(format!("http://test{path}")).body(()).unwrap();
        *request.headers_mut() = headers;
        std::future::poll_fn(|context| self.0.poll_ready(context)).await.unwrap();
        let (response, mut stream) = self.0.send_request(request, false).unwrap();
        stream.send_data(body, true).unwrap();
        async move {
            let (head, mut body) = response.await.unwrap().into_parts();
            let mut said = Vec::new();
            while let Some(Ok(data)) = body.data().await {
                said.extend_from_slice(&data);
                body.flow_control().release_capacity(data.len()).unwrap();
            }
            let mut metadata = head.headers;
            metadata.extend(body.trailers().await.unwrap().unwrap_or_default());
            (metadata, said.into())
        }
    }
}

fn answered(metadata: HeaderMap) -> Answered {
    let status = Status::from_header_map(&metadata).expect("a gRPC status");
    Answered { metadata, status }
}

/// The headers of a caller that is declared for everything.
pub(crate) fn tester() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    headers.insert("freehold-caller", "tester".parse().unwrap());
    headers
}

/// A message as gRPC frames it.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat().into()
}
