//! Three services, each calling the next within its own context: what is left at each, and how soon all of them have ended.
//!
//! C5 and C6. Each service has a thread of its own. The last one never answers, so that a call ends by its deadline, or
//! because its caller goes away.

use std::convert::Infallible;
use std::future::pending;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel};
use freehold_server::Server;
use freehold_wire::contract::{Contract, Owner};
use freehold_wire::dispatch::{self, Answer};
use freehold_wire::{Access, Check, Criticality, Method, Retry, Rules, Violations};
use futures_util::future::join_all;
use http::{Request, Response};
use prost::Message;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;

use crate::{AT_ONCE, DEADLINE, percentiles};

const HOPS: usize = 3;

/// When the time of its first caller ends, in microseconds after the start of the benchmark.
#[derive(Clone, PartialEq, Message)]
struct Note {
    #[prost(uint64, tag = "1")]
    ends: u64,
}

impl Check for Note {
    fn check(&self, _: &mut Violations) {}
}

const GO: Method<Note, Note> = Method::new(Rules {
    path: "/bench.Hop/Go",
    deadline: Duration::from_secs(5),
    min_deadline: Duration::ZERO,
    retry: Retry::Never,
    access: Access::Public,
    cache: None,
    criticality: Criticality::Default,
    streams: false,
});

static METHODS: [Rules; 1] = [*GO.rules()];

static CONTRACT: Contract = Contract {
    owners: &[Owner {
        name: "bench",
        contact: "",
        services: &["bench.Hop"],
        methods: &METHODS,
        entities: &[],
        events: &[],
    }],
    consumers: &[],
    descriptors: &[],
};

/// What a hop saw of one call.
enum Seen {
    /// By how much its deadline lies off that of the first caller.
    Off(Duration),
    /// When its work was dropped.
    Gone(Instant),
}

/// Tells when it is dropped.
struct Gone(UnboundedSender<Seen>);

impl Drop for Gone {
    fn drop(&mut self) {
        let _nobody_asks_any_more = self.0.send(Seen::Gone(Instant::now()));
    }
}

/// A service that calls the next one, and waits for ever where there is none.
#[derive(Clone)]
struct Hop {
    next: Option<Channel>,
    began: Instant,
    tell: UnboundedSender<Seen>,
}

impl NamedService for Hop {
    const NAME: &'static str = "bench.Hop";
}

impl tower_service::Service<Request<Body>> for Hop {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let Self { next, began, tell } = self.clone();
        dispatch::read(&GO, request, move |context, note: Note| async move {
            let ends = began + Duration::from_micros(note.ends);
            let off = ends.max(context.deadline()) - ends.min(context.deadline());
            tell.send(Seen::Off(off)).unwrap();
            let _gone = Gone(tell);
            match next {
                Some(next) => Ok(next.unary(&GO, note, &CallOptions::new().within(&context)).await?),
                None => pending().await,
            }
        })
    }
}

/// Starts a hop on a thread of its own; its channel.
fn start(hop: Hop) -> Channel {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bound = Server::new("bench", &CONTRACT).serve(hop).bind().await.unwrap();
            tell.send(format!("http://{}", bound.addr())).unwrap();
            bound.run(CancellationToken::new()).await.unwrap();
        });
    });
    Channel::new("bench", &told.recv().unwrap()).unwrap()
}

/// Prints by how much hops' deadlines lie off, and how long after a call's end all of them have ended.
pub(crate) async fn print() {
    let (tell, mut told) = unbounded_channel();
    let began = Instant::now();
    let mut next = None;
    for _ in 0..HOPS {
        next = Some(start(Hop { next: next.take(), began, tell: tell.clone() }));
    }
    let first = next.unwrap();
    let (off, late) = calls(&first, began, &mut told, DEADLINE, 2 * DEADLINE).await;
    percentiles("deadlines of three hops lie off what was left by", off);
    percentiles("three hops end after the deadline by", late);
    let (_, late) = calls(&first, began, &mut told, 10 * DEADLINE, DEADLINE).await;
    percentiles("three hops end after their caller went away by", late);
}

/// Calls that have `deadline`, and a caller who waits for `patience`: by how much the deadlines of hops lie off the caller's,
/// and how long after the sooner of both each hop ended.
async fn calls(
    first: &Channel,
    began: Instant,
    told: &mut UnboundedReceiver<Seen>,
    deadline: Duration,
    patience: Duration,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut off, mut late) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let asked = Instant::now();
        let options = CallOptions::new().with_deadline(deadline);
        let ends = u64::try_from((asked + deadline - began).as_micros()).unwrap();
        let all = join_all((0..AT_ONCE).map(|_| first.unary(&GO, Note { ends }, &options)));
        let _nobody_answers = tokio::time::timeout(patience, all).await;
        let over = Instant::now().min(asked + deadline);
        let mut ended = 0;
        while ended < AT_ONCE * HOPS {
            // A call whose time was over before its last hop has fewer of them.
            match tokio::time::timeout(10 * DEADLINE, told.recv()).await {
                Err(_) | Ok(None) => break,
                Ok(Some(Seen::Off(by))) => off.push(by),
                Ok(Some(Seen::Gone(at))) => {
                    late.push(at.saturating_duration_since(over));
                    ended += 1;
                }
            }
        }
    }
    (off, late)
}
