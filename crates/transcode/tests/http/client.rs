//! A client that speaks HTTP/1.1 and nothing of Freehold.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for what must happen before it calls that a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The lines of the body as JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// Reason and wrong fields of an error.
    pub(crate) fn refusal(&self) -> (String, Vec<String>) {
        let error = &self.json()["error"];
        let details = error["details"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        let of = |kind: &str| {
            let kind = format!("type.googleapis.com/google.rpc.{kind}");
            details.iter().find(|detail| detail["@type"] == kind).cloned().unwrap_or_default()
        };
        let reason = of("ErrorInfo")["reason"].as_str().unwrap_or_default().to_owned();
        let violations = of("BadRequest")["fieldViolations"].as_array().cloned().unwrap_or_default();
        let field = |violation: &Value| violation["field"].as_str().unwrap().to_owned();
        (reason, violations.iter().map(field).collect())
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn ask(at: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = timeout(PATIENCE, send(at, request)).await.expect("no answer").into_parts();
    let body = timeout(PATIENCE, body.collect()).await.expect("no end").unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

/// Sends a request and gives the answer as soon as it has begun.
pub(crate) async fn send<B>(at: SocketAddr, mut request: Request<B>) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let socket = TcpStream::connect(at).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    request.headers_mut().insert("host", "test".parse().unwrap());
    sender.send_request(request).await.unwrap()
}
