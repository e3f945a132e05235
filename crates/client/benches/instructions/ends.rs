//! The other ends: a bare caller, a bare callee, the service, and a server of tonic without the kit.
//!
//! The bare ones are h2 and nothing else, so that what differs within a pair is what is compared.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use freehold_wire::codec::Protobuf;
use freehold_wire::contract::{Consumer, Contract, Owner};
use freehold_wire::dispatch::{self, Answer};
use freehold_wire::{Access, Check, Criticality, Method, Retry, Rules, Violations};
use futures_util::future::BoxFuture;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tonic::server::{NamedService, UnaryService};
use tonic::{Status, server};

/// The message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Note {
    /// What it says.
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

impl Check for Note {
    fn check(&self, violations: &mut Violations) {
        violations.max_chars("text", &self.text, 100);
    }
}

/// A read that its caller has to declare.
pub(crate) const READ: Method<Note, Note> = Method::new(Rules {
    path: "/bench.Notes/Read",
    deadline: Duration::from_secs(5),
    min_deadline: Duration::ZERO,
    retry: Retry::Safe,
    access: Access::Declared,
    cache: None,
    criticality: Criticality::Default,
    streams: false,
});

static METHODS: [Rules; 1] = [*READ.rules()];

/// An owner, and the consumer that calls it.
pub(crate) static CONTRACT: Contract = Contract {
    owners: &[Owner {
        name: "bench",
        contact: "",
        services: &["bench.Notes"],
        methods: &METHODS,
        entities: &[],
        events: &[],
    }],
    consumers: &[Consumer {
        name: "bench",
        file: "bench/needs.proto",
        calls: &["bench.Notes/Read"],
        entitlements: &[],
    }],
    descriptors: &[],
};

/// The service, as the generator would write it.
#[derive(Clone)]
pub(crate) struct Notes;

impl NamedService for Notes {
    const NAME: &'static str = "bench.Notes";
}

impl tower_service::Service<Request<Body>> for Notes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        dispatch::read(&READ, request, |_, note| async { Ok(note) })
    }
}

/// The same service as tonic alone has it.
struct Plain;

impl UnaryService<Note> for Plain {
    type Response = Note;
    type Future = BoxFuture<'static, Result<tonic::Response<Note>, Status>>;

    fn call(&mut self, request: tonic::Request<Note>) -> Self::Future {
        Box::pin(async { Ok(tonic::Response::new(request.into_inner())) })
    }
}

/// Starts the server that the kit is compared with.
pub(crate) async fn tonic_server() -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            let service = service_fn(|request: Request<Incoming>| async {
                let mut grpc = server::Grpc::new(Protobuf::<Note, Note>::default());
                Ok::<_, Infallible>(grpc.unary(Plain, request).await)
            });
            let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http2.serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

/// Starts the callee that both clients call; its URL.
pub(crate) async fn callee() -> String {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            tokio::spawn(answer(socket));
        }
    });
    format!("http://{address}")
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn answer(socket: TcpStream) {
    let mut connection = h2::server::handshake(socket).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        tokio::spawn(async move {
            let mut body = request.into_body();
            while body.data().await.is_some() {}
            let head = Response::builder().header("content-type", "application/grpc").body(());
            let mut stream = respond.send_response(head.unwrap(), false).unwrap();
            stream.send_data(FRAME, false).unwrap();
            let trailers = [("grpc-status", "0")].map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()));
            stream.send_trailers(trailers.into_iter().collect()).unwrap();
        });
    }
}

/// An empty message, framed.
const FRAME: Bytes = Bytes::from_static(&[0; 5]);

/// The caller that both servers have.
pub(crate) struct Caller {
    send: SendRequest<Bytes>,
    authority: SocketAddr,
}

impl Caller {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (send, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        Self { send, authority: address }
    }

    /// Makes a call with what a channel sends, and hears all of the answer.
    pub(crate) async fn call(&mut self) {
        let url = format!("http://{}{}", self.authority, READ.rules().path);
        let mut request = Request::post(url).body(()).unwrap();
        *request.headers_mut() = headers();
        std::future::poll_fn(|context| self.send.poll_ready(context)).await.unwrap();
        let (response, mut stream) = self.send.send_request(request, false).unwrap();
        stream.send_data(FRAME, true).unwrap();
        let mut body = response.await.unwrap().into_body();
        while let Some(data) = body.data().await {
            body.flow_control().release_capacity(data.unwrap().len()).unwrap();
        }
        let trailers = body.trailers().await.unwrap().unwrap();
        assert_eq!(trailers.get("grpc-status").map(HeaderValue::as_bytes), Some(&b"0"[..]));
    }
}

fn headers() -> HeaderMap {
    let sent = [
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "bench"),
        (freehold_wire::metadata::CALLER, "bench"),
        (freehold_wire::metadata::TIMEOUT, "5S"),
        (freehold_wire::metadata::TRACEPARENT, "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"),
    ];
    let sent = sent.into_iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    sent.collect()
}
