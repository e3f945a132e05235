//! The same service behind our kit and behind tonic alone, each on a thread of its own.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use freehold_server::Server;
use freehold_wire::codec::Protobuf;
use freehold_wire::contract::{Contract, Owner};
use freehold_wire::dispatch::{self, Answer};
use freehold_wire::{Access, Check, Criticality, Method, Retry, Rules, Violations};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};

/// The only message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Note {}

impl Check for Note {
    fn check(&self, _: &mut Violations) {}
}

pub(crate) const CRITICAL: Method<Note, Note> = method("/bench.Work/Critical", Criticality::Critical);
pub(crate) const ORDINARY: Method<Note, Note> = method("/bench.Work/Ordinary", Criticality::Default);
pub(crate) const SHEDDABLE: Method<Note, Note> = method("/bench.Work/Sheddable", Criticality::Sheddable);

const fn method(path: &'static str, criticality: Criticality) -> Method<Note, Note> {
    Method::new(Rules {
        path,
        deadline: Duration::from_secs(5),
        min_deadline: Duration::ZERO,
        retry: Retry::Safe,
        access: Access::Public,
        cache: None,
        criticality,
        streams: false,
    })
}

static METHODS: [Rules; 3] = [*CRITICAL.rules(), *ORDINARY.rules(), *SHEDDABLE.rules()];

static CONTRACT: Contract = Contract {
    owners: &[Owner {
        name: "bench",
        contact: "",
        services: &["bench.Work"],
        methods: &METHODS,
        entities: &[],
        events: &[],
    }],
    consumers: &[],
    descriptors: &[],
};

/// What a call takes: one of four places, for eight milliseconds.
#[derive(Clone)]
struct Work(Arc<Semaphore>);

impl Work {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(4)))
    }

    async fn done(self) -> Result<Note, Status> {
        let _place = self.0.acquire().await.map_err(|closed| Status::internal(closed.to_string()))?;
        tokio::time::sleep(Duration::from_millis(8)).await;
        Ok(Note {})
    }
}

impl NamedService for Work {
    const NAME: &'static str = "bench.Work";
}

impl tower_service::Service<Request<Body>> for Work {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let work = self.clone();
        match [&CRITICAL, &ORDINARY, &SHEDDABLE]
            .into_iter()
            .find(|known| known.rules().path == request.uri().path())
        {
            Some(method) => dispatch::read(method, request, move |_, _| work.done()),
            None => dispatch::unknown_method(request.uri().path()),
        }
    }
}

impl UnaryService<Note> for Work {
    type Response = Note;
    type Future = BoxFuture<'static, Result<tonic::Response<Note>, Status>>;

    fn call(&mut self, _: tonic::Request<Note>) -> Self::Future {
        let work = self.clone();
        Box::pin(async { work.done().await.map(tonic::Response::new) })
    }
}

/// Starts the service behind our kit; its URL.
pub(crate) fn kit() -> String {
    on_a_thread(|tell| async move {
        let bound = Server::new("bench", &CONTRACT).serve(Work::new()).bind().await.unwrap();
        tell.send(format!("http://{}", bound.addr())).unwrap();
        bound.run(CancellationToken::new()).await.unwrap();
    })
}

/// Starts it behind tonic; its URL.
pub(crate) fn tonic() -> String {
    on_a_thread(|tell| async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        tell.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let work = Work::new();
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            let work = work.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let work = work.clone();
                async move {
                    let mut grpc = Grpc::new(Protobuf::<Note, Note>::default());
                    Ok::<_, Infallible>(grpc.unary(work, request).await)
                }
            });
            let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            http2.max_concurrent_streams(10_000);
            tokio::spawn(http2.serve_connection(TokioIo::new(socket), service));
        }
    })
}

/// Runs a server on a thread of its own; the URL that it tells.
fn on_a_thread<F: Future<Output = ()>>(
    serve: impl FnOnce(mpsc::Sender<String>) -> F + Send + 'static,
) -> String {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(tell));
    });
    told.recv().unwrap()
}
