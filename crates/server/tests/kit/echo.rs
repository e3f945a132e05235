//! A service as the generator would write it, whose handlers each test brings along.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use freehold_client::{CallOptions, Channel, Error};
use freehold_server::{Bound, Server};
use freehold_wire::contract::{Consumer, Contract, Owner};
use freehold_wire::dispatch::{self, Answer, Messages};
use freehold_wire::{Access, Check, Committed, Context, Criticality, Method, Retry, Rules, Violations};
use prost::Message;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::server::NamedService;

/// How long a test waits for what must happen before it calls that a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The only message of these tests.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Note {
    /// What it says.
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

impl Check for Note {
    fn check(&self, violations: &mut Violations) {
        violations.max_chars("text", &self.text, 5_000_000);
    }
}

/// A note that says `text`.
pub(crate) fn note(text: impl Into<String>) -> Note {
    Note { text: text.into() }
}

/// A read that a consumer has to declare.
pub(crate) const READ: Method<Note, Note> =
    method("/echo.v1.EchoService/Read", Retry::Safe, Access::Declared);
/// A keyed write.
pub(crate) const WRITE: Method<Note, Note> =
    method("/echo.v1.EchoService/Write", Retry::Keyed, Access::Declared);
/// A stream of replies.
pub(crate) const STREAM: Method<Note, Note> = streaming("/echo.v1.EchoService/Stream", Retry::Safe);
/// A stream of requests.
pub(crate) const COLLECT: Method<Note, Note> = streaming("/echo.v1.EchoService/Collect", Retry::Never);
/// Streams both ways.
pub(crate) const DUPLEX: Method<Note, Note> = streaming("/echo.v1.EchoService/Duplex", Retry::Never);
/// A read that everybody may call.
pub(crate) const OPEN: Method<Note, Note> = method("/echo.v1.EchoService/Open", Retry::Safe, Access::Public);

/// A read that is shed first, and one that is shed last.
pub(crate) const SHEDDABLE: Method<Note, Note> =
    weighed("/echo.v1.EchoService/Sheddable", Criticality::Sheddable);
pub(crate) const CRITICAL: Method<Note, Note> =
    weighed("/echo.v1.EchoService/Critical", Criticality::Critical);

const fn weighed(path: &'static str, criticality: Criticality) -> Method<Note, Note> {
    Method::new(Rules { criticality, ..*method(path, Retry::Safe, Access::Public).rules() })
}

const fn streaming(path: &'static str, retry: Retry) -> Method<Note, Note> {
    Method::new(Rules { streams: true, ..*method(path, retry, Access::Declared).rules() })
}

const fn method(path: &'static str, retry: Retry, access: Access) -> Method<Note, Note> {
    Method::new(Rules {
        path,
        deadline: Duration::from_secs(20),
        min_deadline: Duration::ZERO,
        retry,
        access,
        cache: None,
        criticality: Criticality::Default,
        streams: false,
    })
}

const SERVICES: &[&str] = &["echo.v1.EchoService"];
static METHODS: [Rules; 8] = [
    *READ.rules(),
    *WRITE.rules(),
    *STREAM.rules(),
    *COLLECT.rules(),
    *DUPLEX.rules(),
    *OPEN.rules(),
    *SHEDDABLE.rules(),
    *CRITICAL.rules(),
];

const fn owner(name: &'static str) -> Owner {
    Owner { name, contact: "", services: SERVICES, methods: &METHODS, entities: &[], events: &[] }
}

const fn consumer(name: &'static str, file: &'static str, calls: &'static [&'static str]) -> Consumer {
    Consumer { name, file, calls, entitlements: &[] }
}

const ALL: &[&str] = &[
    "echo.v1.EchoService/Read",
    "echo.v1.EchoService/Write",
    "echo.v1.EchoService/Stream",
    "echo.v1.EchoService/Collect",
    "echo.v1.EchoService/Duplex",
];

/// Owners that serve the same, so that a call can go from one to the next, one that is elsewhere, some whose numbers
/// belong to one test each, and two consumers.
pub(crate) static CONTRACT: Contract = Contract {
    owners: &[
        owner("first"),
        owner("second"),
        owner("third"),
        owner("elsewhere"),
        owner("counted"),
        owner("streaming"),
        owner("connected"),
        owner("other"),
        owner("spanned"),
    ],
    consumers: &[
        consumer("first", "first/v1/needs.proto", ALL),
        consumer("second", "second/v1/needs.proto", ALL),
        consumer("reader", "reader/v1/needs.proto", &["echo.v1.EchoService/Read"]),
        consumer("tester", "tester/v1/needs.proto", ALL),
    ],
    descriptors: &[],
};

type Running<T> = Pin<Box<dyn Future<Output = Result<T, Status>> + Send>>;
type Handler<In, Out> = Arc<dyn Fn(Context, In) -> Running<Out> + Send + Sync>;

/// The service. A method without a handler answers with what it was asked.
#[derive(Clone)]
pub(crate) struct Echo {
    read: Handler<Note, Note>,
    write: Handler<Note, Committed<Note>>,
    stream: Handler<Note, Messages<Note>>,
    collect: Handler<Messages<Note>, Note>,
    duplex: Handler<Messages<Note>, Messages<Note>>,
}

fn handler<In, Out, F>(handler: impl Fn(Context, In) -> F + Send + Sync + 'static) -> Handler<In, Out>
where
    F: Future<Output = Result<Out, Status>> + Send + 'static,
{
    Arc::new(move |context, request| Box::pin(handler(context, request)))
}

impl Echo {
    pub(crate) fn new() -> Self {
        use tokio_stream::StreamExt;
        Self {
            read: handler(|_, note| async { Ok(note) }),
            write: handler(|_, _| async { Err(Status::unimplemented("no write")) }),
            stream: handler(|_, note| async { Ok(Messages::new(tokio_stream::once(Ok(note)))) }),
            collect: handler(|_, mut notes: Messages<Note>| async move {
                let mut all = String::new();
                while let Some(note) = notes.next().await {
                    all += &note?.text;
                }
                Ok(note(all))
            }),
            duplex: handler(|_, notes| async { Ok(notes) }),
        }
    }

    pub(crate) fn read<F>(mut self, read: impl Fn(Context, Note) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Note, Status>> + Send + 'static,
    {
        self.read = handler(read);
        self
    }

    pub(crate) fn write<F>(mut self, write: impl Fn(Context, Note) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Committed<Note>, Status>> + Send + 'static,
    {
        self.write = handler(write);
        self
    }

    pub(crate) fn stream<F>(mut self, stream: impl Fn(Context, Note) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Messages<Note>, Status>> + Send + 'static,
    {
        self.stream = handler(stream);
        self
    }

    pub(crate) fn collect<F>(
        mut self,
        collect: impl Fn(Context, Messages<Note>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Note, Status>> + Send + 'static,
    {
        self.collect = handler(collect);
        self
    }

    /// Serves it as `owner` until the end of the test, or until it is told to end.
    pub(crate) async fn serve_as(self, owner: &str) -> Served {
        Served::of(Server::new(owner, &CONTRACT).serve(self).bind().await.unwrap())
    }

    /// Serves it as the owner `first`.
    pub(crate) async fn serve(self) -> Served {
        self.serve_as("first").await
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "echo.v1.EchoService";
}

impl tower_service::Service<http::Request<tonic::body::Body>> for Echo {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Answer {
        let echo = self.clone();
        match request.uri().path() {
            "/echo.v1.EchoService/Read" => dispatch::read(&READ, request, move |c, r| (echo.read)(c, r)),
            "/echo.v1.EchoService/Open" => dispatch::read(&OPEN, request, move |c, r| (echo.read)(c, r)),
            "/echo.v1.EchoService/Sheddable" => {
                dispatch::read(&SHEDDABLE, request, move |c, r| (echo.read)(c, r))
            }
            "/echo.v1.EchoService/Critical" => {
                dispatch::read(&CRITICAL, request, move |c, r| (echo.read)(c, r))
            }
            "/echo.v1.EchoService/Write" => dispatch::write(&WRITE, request, move |c, r| (echo.write)(c, r)),
            "/echo.v1.EchoService/Stream" => {
                dispatch::stream(&STREAM, request, move |c, r| (echo.stream)(c, r))
            }
            "/echo.v1.EchoService/Collect" => {
                dispatch::collect(&COLLECT, request, move |c, r| (echo.collect)(c, r))
            }
            "/echo.v1.EchoService/Duplex" => {
                dispatch::duplex(&DUPLEX, request, move |c, r| (echo.duplex)(c, r))
            }
            path => dispatch::unknown_method(path),
        }
    }
}

/// A server that runs.
pub(crate) struct Served {
    /// Where it listens: "127.0.0.1:7401".
    pub(crate) authority: String,
    /// Tells it to end.
    pub(crate) shutdown: CancellationToken,
    /// Its end.
    pub(crate) ended: JoinHandle<Result<(), freehold_server::Error>>,
}

impl Served {
    /// Runs a server.
    pub(crate) fn of(bound: Bound) -> Self {
        let (authority, shutdown) = (bound.addr().to_string(), CancellationToken::new());
        let ended = tokio::spawn(bound.run(shutdown.clone()));
        Self { authority, shutdown, ended }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// A channel to it for a consumer.
    pub(crate) fn channel(&self, consumer: &str) -> Channel {
        Channel::new(consumer, &self.url()).unwrap()
    }

    /// Calls `Read` as the consumer `tester`.
    pub(crate) async fn read(&self, text: &str) -> Result<Note, Error> {
        self.channel("tester").unary(&READ, note(text), &CallOptions::new()).await
    }
}
