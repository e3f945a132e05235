//! A gateway with the library behind it, both on ports of their own.

use std::net::SocketAddr;

use bytes::Bytes;
use freehold_client::Mesh;
use freehold_server::{Bound, Server};
use freehold_transcode::Transcoder;
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::Full;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::client::{Answer, ask};
use crate::contract::CONTRACT;
use crate::owner::{Call, Library, Replies};

/// The two servers; they end with it.
pub(crate) struct World {
    pub(crate) at: SocketAddr,
    pub(crate) library: Library,
    _ends: Vec<DropGuard>,
}

impl World {
    /// A library that answers every call with an empty message.
    pub(crate) async fn plain() -> Self {
        Self::answering(|_| replies([Ok(Vec::new())])).await
    }

    /// A library that answers so.
    pub(crate) async fn answering(answering: impl Fn(&Call) -> Replies + Send + Sync + 'static) -> Self {
        let library = Library::answering(answering);
        let owner = Server::new("library", *CONTRACT).serve(library.clone()).bind().await.unwrap();
        let mesh = Mesh::fixed("gateway", [("library", format!("http://{}", owner.addr()))]);
        let gateway = gateway(mesh).await;
        let at = gateway.addr();
        Self { at, library, _ends: vec![run(owner), run(gateway)] }
    }

    /// Asks with a body, which says that it is JSON, or without one.
    pub(crate) async fn ask(&self, verb: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.ask_with(verb, path, &[], body).await
    }

    /// The same with further headers.
    pub(crate) async fn ask_with(
        &self,
        verb: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let body = body.into();
        let mut request = Request::builder().method(verb).uri(path);
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        ask(self.at, request.body(Full::new(body)).unwrap()).await
    }

    /// The only call so far.
    pub(crate) fn call(&self) -> Call {
        let mut calls = self.library.calls.lock().unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }
}

/// A gateway in front of a mesh.
pub(crate) async fn gateway(mesh: Mesh) -> Bound {
    let web = Transcoder::new(*CONTRACT, mesh).unwrap();
    Server::new("gateway", *CONTRACT).web(web).bind().await.unwrap()
}

/// Runs a server for as long as the guard lives.
pub(crate) fn run(bound: Bound) -> DropGuard {
    let shutdown = CancellationToken::new();
    tokio::spawn(bound.run(shutdown.clone()));
    shutdown.drop_guard()
}

/// Replies that are all there.
pub(crate) fn replies<const N: usize>(replies: [Result<Vec<u8>, tonic::Status>; N]) -> Replies {
    stream::iter(replies).boxed()
}

/// A message of the library, encoded.
pub(crate) fn encoded(message: &str, json: Value) -> Vec<u8> {
    let descriptor = pool().get_message_by_name(&format!("library.v1.{message}")).unwrap();
    DynamicMessage::deserialize(descriptor, json).unwrap().encode_to_vec()
}

/// What an encoded message of the library says.
pub(crate) fn decoded(message: &str, bytes: Bytes) -> Value {
    let descriptor = pool().get_message_by_name(&format!("library.v1.{message}")).unwrap();
    serde_json::to_value(DynamicMessage::decode(descriptor, bytes).unwrap()).unwrap()
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(CONTRACT.descriptors).unwrap()
}
