//! A callee that is scripted call by call, down to the HTTP/2 frames.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use freehold_client::Channel;
use freehold_wire::{Access, Criticality, Method, Retry, Rules};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Response, StatusCode};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a test waits for what must happen before it calls that a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The only message of these tests.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Note {
    /// What it says.
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

/// A read.
pub(crate) const READ: Method<Note, Note> = method("/peer.v1.Peer/Read", Retry::Safe, Duration::ZERO);
/// A keyed write.
pub(crate) const WRITE: Method<Note, Note> = method("/peer.v1.Peer/Write", Retry::Keyed, Duration::ZERO);
/// A method of which nobody says that it can be sent twice.
pub(crate) const ONCE: Method<Note, Note> = method("/peer.v1.Peer/Once", Retry::Never, Duration::ZERO);
/// A read that wants half a minute.
pub(crate) const LONG: Method<Note, Note> =
    method("/peer.v1.Peer/Long", Retry::Safe, Duration::from_secs(30));

const fn method(path: &'static str, retry: Retry, min_deadline: Duration) -> Method<Note, Note> {
    let (deadline, access) = (Duration::from_secs(20), Access::Public);
    let (criticality, streams) = (Criticality::Default, false);
    Method::new(Rules { path, deadline, min_deadline, retry, access, cache: None, criticality, streams })
}

/// A note that says `text`.
pub(crate) fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

/// A call as it arrived.
pub(crate) struct Call {
    /// The method, "/package.Service/Method".
    pub(crate) path: String,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// What the caller sends.
    pub(crate) body: Option<RecvStream>,
    /// How it is answered.
    pub(crate) respond: SendResponse<Bytes>,
    /// How many calls came before it.
    pub(crate) earlier: usize,
}

/// A scripted callee.
pub(crate) struct Peer {
    url: String,
    calls: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

/// How a callee takes connections.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    /// The most calls that a connection takes at once.
    pub(crate) streams: Option<u32>,
    /// After so many calls a connection is ended in good order.
    pub(crate) age: Option<usize>,
    /// What it says of its health; without, it has no health service.
    pub(crate) health: Option<watch::Receiver<i32>>,
}

impl Peer {
    /// A callee that gives each call to `script`.
    pub(crate) async fn start<F>(script: impl Fn(Call) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::mannered(Manner::default(), script).await
    }

    /// The same with manners.
    pub(crate) async fn mannered<F>(
        manner: Manner,
        script: impl Fn(Call) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let peer = Self { url, calls: Arc::default(), connections: Arc::default() };
        let (calls, connections) = (peer.calls.clone(), peer.connections.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(socket, manner.clone(), calls.clone(), script.clone()));
            }
        });
        peer
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// A channel to several of them.
    pub(crate) fn channel_to(peers: &[Self]) -> Channel {
        let urls: Vec<&str> = peers.iter().map(|peer| peer.url.as_str()).collect();
        Channel::new("tester", &urls.join(",")).unwrap()
    }

    /// A channel to it, for the consumer `tester`.
    pub(crate) fn channel(&self) -> Channel {
        Channel::new("tester", &self.url).unwrap()
    }

    /// How many calls have arrived.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many connections have been made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve<F>(
    socket: TcpStream,
    manner: Manner,
    calls: Arc<AtomicUsize>,
    script: impl Fn(Call) -> F + Clone + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    manner.streams.map(|streams| builder.max_concurrent_streams(streams));
    let Ok(mut connection) = builder.handshake::<_, Bytes>(socket).await else { return };
    let mut taken = 0;
    while let Some(Ok((request, respond))) = connection.accept().await {
        if request.uri().path() == "/grpc.health.v1.Health/Watch" {
            tokio::spawn(tell_health(respond, manner.health.clone()));
            continue;
        }
        let earlier = calls.fetch_add(1, Ordering::SeqCst);
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        tokio::spawn(script(Call { path, headers: head.headers, body: Some(body), respond, earlier }));
        taken += 1;
        if manner.age == Some(taken) {
            connection.graceful_shutdown();
        }
    }
}

async fn tell_health(respond: SendResponse<Bytes>, health: Option<watch::Receiver<i32>>) {
    let mut call = Call { path: String::new(), headers: HeaderMap::new(), body: None, respond, earlier: 0 };
    let Some(mut health) = health else { return call.refuse(&[("grpc-status", "12")]) };
    let mut stream = call.open();
    loop {
        let status = u8::try_from(*health.borrow_and_update()).unwrap();
        if stream.send_data(frame(&[8, status]), false).is_err() || health.changed().await.is_err() {
            return;
        }
    }
}

impl Call {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// Sends the headers of an answer.
    pub(crate) fn open(&mut self) -> SendStream<Bytes> {
        self.open_with(&[])
    }

    /// Sends the headers of an answer, with `more` among them.
    pub(crate) fn open_with(&mut self, more: &[(&'static str, &str)]) -> SendStream<Bytes> {
        self.respond.send_response(response(more), false).unwrap()
    }

    /// Answers with a note.
    pub(crate) fn answer(mut self, text: &str) {
        let mut stream = self.open();
        stream.send_data(frame(&note(text).encode_to_vec()), false).unwrap();
        stream.send_trailers(trailers(&[("grpc-status", "0")])).unwrap();
    }

    /// Refuses in the headers alone.
    pub(crate) fn refuse(mut self, more: &[(&'static str, &str)]) {
        self.respond.send_response(response(more), true).unwrap();
    }

    /// What the caller sends: the text of its only message.
    pub(crate) async fn asked(&mut self) -> String {
        let body = self.body.as_mut().unwrap();
        let mut sent = Vec::new();
        while let Some(chunk) = body.data().await {
            sent.extend_from_slice(&chunk.unwrap());
        }
        Note::decode(&sent[5..]).unwrap().text
    }

    /// Refuses as one that is unavailable.
    pub(crate) fn fail(self) {
        self.refuse(&[("grpc-status", "14"), ("grpc-message", "broken")]);
    }

    /// Waits until the caller has given the call up.
    pub(crate) async fn given_up(mut self) -> h2::Reason {
        std::future::poll_fn(|context| self.respond.poll_reset(context)).await.unwrap()
    }
}

/// A message as gRPC frames it.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat().into()
}

/// Trailers.
pub(crate) fn trailers(fields: &[(&'static str, &str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn response(more: &[(&'static str, &str)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response.headers_mut().extend(trailers(more));
    response
}
