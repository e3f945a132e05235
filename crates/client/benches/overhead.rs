//! What the channel costs beside a raw tonic client: the same calls to the same callee, in turns in the same run.
//!
//! `cargo bench -p freehold-client --bench overhead`. The callee has a thread of its own; the client's CPU time is that of
//! its thread. Printed: the median latency, calls per second, and microseconds of CPU per call.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod callee;

use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel};
use freehold_wire::codec::Protobuf;
use freehold_wire::methods::directory::LIST;
use freehold_wire::pb::{ListServicesRequest, ListServicesResponse};
use futures_util::future::join_all;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::Endpoint;

const ROUNDS: usize = 12;
const CALLS: usize = 2_000;

/// One way to make the same call.
#[derive(Clone)]
enum Client {
    Raw(Grpc<tonic::transport::Channel>),
    Channel(Channel, CallOptions),
}

#[derive(Default)]
struct Figures {
    latencies: Vec<Duration>,
    took: Duration,
    cpu: Duration,
}

fn main() {
    let url = callee::start(callee::Manner::Prompt);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let raw = Endpoint::from_shared(url.clone()).unwrap().tcp_nodelay(true).connect().await.unwrap();
        let channel = Channel::new("bench", &url).unwrap();
        let ways = [Client::Raw(Grpc::new(raw)), Client::Channel(channel, CallOptions::new())];
        for at_once in [1, 32] {
            let mut figures = [Figures::default(), Figures::default()];
            for _ in 0..ROUNDS {
                for (way, figures) in ways.iter().zip(&mut figures) {
                    round(way, at_once, figures).await;
                }
            }
            for (name, figures) in ["raw tonic", "channel"].iter().zip(&mut figures) {
                print(name, at_once, figures);
            }
        }
    });
}

async fn round(client: &Client, at_once: usize, figures: &mut Figures) {
    let (began, cpu) = (Instant::now(), cpu());
    let one = || async {
        let (mut client, mut latencies) = (client.clone(), Vec::new());
        for _ in 0..CALLS / at_once {
            let began = Instant::now();
            client.call().await;
            latencies.push(began.elapsed());
        }
        latencies
    };
    figures.latencies.extend(join_all((0..at_once).map(|_| one())).await.into_iter().flatten());
    figures.took += began.elapsed();
    figures.cpu += self::cpu() - cpu;
}

impl Client {
    async fn call(&mut self) {
        let request = ListServicesRequest::default();
        match self {
            Self::Raw(grpc) => {
                grpc.ready().await.unwrap();
                let path = PathAndQuery::from_static(LIST.rules().path);
                let mut request = tonic::Request::new(request);
                request.set_timeout(Duration::from_secs(5));
                let codec = Protobuf::<ListServicesRequest, ListServicesResponse>::default();
                grpc.unary(request, path, codec).await.unwrap();
            }
            Self::Channel(channel, options) => {
                channel.unary(&LIST, request, options).await.unwrap();
            }
        }
    }
}

fn print(name: &str, at_once: usize, figures: &mut Figures) {
    figures.latencies.sort_unstable();
    let calls = figures.latencies.len();
    let median = figures.latencies[calls / 2].as_secs_f64() * 1e6;
    let (per_second, cpu) = (calls as f64 / figures.took.as_secs_f64(), figures.cpu.as_secs_f64() * 1e6);
    println!(
        "{name:10} c={at_once:<3} p50 {median:7.1} us  {per_second:8.0} calls/s  {:5.1} us CPU",
        cpu / calls as f64
    );
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
