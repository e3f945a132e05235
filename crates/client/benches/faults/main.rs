//! How late calls and hops are at their deadline, and what a slow replica costs, beside tonic in the same run.
//!
//! `cargo bench -p freehold-client --bench faults`. The callees and the fault proxy have threads of their own.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

#[path = "../callee/mod.rs"]
mod callee;
mod hops;

use std::time::{Duration, Instant};

use callee::Manner;
use freehold_client::{CallOptions, Channel};
use freehold_testkit::{FaultProxy, Faults};
use freehold_wire::codec::Protobuf;
use freehold_wire::methods::directory::LIST;
use freehold_wire::pb::{ListServicesRequest, ListServicesResponse};
use futures_util::future::join_all;
use http::uri::PathAndQuery;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::transport::{Channel as Tonic, Endpoint};

const AT_ONCE: usize = 16;
const LASTS: Duration = Duration::from_secs(5);
/// How many calls hang, and how many are made beside them in each turn.
const HANGING: usize = 500;
const CALLS: usize = 5_000;
const TURNS: usize = 6;
/// Calls before those that are timed, while the ones that hang begin.
const UNTIMED: usize = 500;
const DEADLINE: Duration = Duration::from_millis(100);
/// How much later the answers of the slow replica come: some hundred times what the others take.
const SLOW: Duration = Duration::from_millis(100);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        late().await;
        hops::print().await;
        beside().await;
        let slow = slow(callee::start(Manner::Prompt));
        let urls = [callee::start(Manner::Prompt), slow, callee::start(Manner::Prompt)];
        for _ in 0..2 {
            tonic(&urls).await;
            channel(&urls).await;
        }
    });
}

/// Calls that stall after the headers, many at once: by how much each outlives its deadline.
async fn late() {
    let channel = Channel::new("bench", &callee::start(Manner::Stalling)).unwrap();
    let options = CallOptions::new().with_deadline(DEADLINE);
    let mut late = Vec::new();
    for _ in 0..50 {
        let one = || async {
            let began = Instant::now();
            let error = channel.unary(&LIST, ListServicesRequest::default(), &options).await.unwrap_err();
            assert!(error.is_deadline_exceeded(), "{error}");
            began.elapsed().saturating_sub(DEADLINE)
        };
        late.extend(join_all((0..AT_ONCE).map(|_| one())).await);
    }
    percentiles("stalled calls end after their deadline by", late);
}

/// C28: calls to one service, in turns alone and while calls to another hang.
async fn beside() {
    let to = |manner| Channel::new("bench", &callee::start(manner)).unwrap();
    let (hanging, well, options) = (to(Manner::Stalling), to(Manner::Prompt), CallOptions::new());
    let one_after_another = async || {
        let mut times = Vec::new();
        for call in 0..UNTIMED + CALLS {
            let began = Instant::now();
            well.unary(&LIST, ListServicesRequest::default(), &options).await.unwrap();
            if call >= UNTIMED {
                times.push(began.elapsed());
            }
        }
        times
    };
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        alone.extend(one_after_another().await);
        let calls = (0..HANGING).map(|_| {
            let (hanging, options) = (hanging.clone(), options.clone());
            async move { drop(hanging.unary(&LIST, ListServicesRequest::default(), &options).await) }
        });
        // They end when this is dropped.
        let _held = calls.collect::<JoinSet<_>>();
        beside.extend(one_after_another().await);
    }
    percentiles("calls to a service take", alone);
    percentiles("and while 500 calls to another hang", beside);
}

fn percentiles(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!("{what} p50 {:.2} ms, p99 {:.2} ms ({} times)", at(50), at(99), times.len());
}

/// A proxy on a thread of its own before a replica, whose answers are late.
fn slow(url: String) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let proxy = FaultProxy::before(url.strip_prefix("http://").unwrap()).await;
            proxy.set(Faults::delay(SLOW));
            tell.send(proxy.url()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}

async fn tonic(urls: &[String]) {
    let endpoints = urls.iter().map(|url| Endpoint::from_shared(url.clone()).unwrap().tcp_nodelay(true));
    let balanced = Grpc::new(Tonic::balance_list(endpoints));
    let one = || async {
        let (mut grpc, mut calls, end) = (balanced.clone(), 0, Instant::now() + LASTS);
        while Instant::now() < end {
            grpc.ready().await.unwrap();
            let codec = Protobuf::<ListServicesRequest, ListServicesResponse>::default();
            let request = tonic::Request::new(ListServicesRequest::default());
            grpc.unary(request, PathAndQuery::from_static(LIST.rules().path), codec).await.unwrap();
            calls += 1;
        }
        calls
    };
    print("tonic balance_list", join_all((0..AT_ONCE).map(|_| one())).await);
}

async fn channel(urls: &[String]) {
    let (channel, options) = (Channel::new("bench", &urls.join(",")).unwrap(), CallOptions::new());
    let one = || async {
        let (mut calls, end) = (0, Instant::now() + LASTS);
        while Instant::now() < end {
            channel.unary(&LIST, ListServicesRequest::default(), &options).await.unwrap();
            calls += 1;
        }
        calls
    };
    print("channel", join_all((0..AT_ONCE).map(|_| one())).await);
}

fn print(name: &str, calls: Vec<u32>) {
    let calls = f64::from(calls.into_iter().sum::<u32>());
    println!("{name:20} one of three replicas slow: {:8.0} calls/s", calls / LASTS.as_secs_f64());
}
