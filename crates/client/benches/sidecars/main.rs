//! What our stack adds to a call beside what a sidecar adds: the same calls by several ways, in turns in the same run.
//!
//! `cargo xtask bench sidecars`. The ways: tonic alone at both ends; our channel before tonic's server, and before our
//! server kit; and tonic alone with nginx, HAProxy or Envoy between its ends. One sidecar stands at one end of a call, as
//! the channel does. All CPU that a call costs counts: the client's thread, the callee's, and every process of the
//! sidecar. A proxy that is not there is named.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod cpu;
#[path = "../instructions/ends.rs"]
#[expect(dead_code, reason = "the bare ends are for counting instructions")]
mod ends;
mod proxies;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel};
use freehold_server::Server;
use freehold_wire::codec::Protobuf;
use futures_util::future::join_all;
use http::uri::PathAndQuery;
use tokio_util::sync::CancellationToken;
use tonic::client::Grpc;
use tonic::transport::Endpoint;

use cpu::Watched;
use ends::{Note, READ};
use proxies::Proxy;

const ROUNDS: usize = 10;
/// Calls of a way in a round.
const CALLS: usize = 1_600;
/// How much less our stack may add than the cheapest sidecar.
const BAR: f64 = 4.0;

/// A way to make the call, and what it came to.
struct Way {
    name: &'static str,
    client: Client,
    /// Who spends CPU on it, beside this thread.
    watched: Vec<Watched>,
    figures: Figures,
}

#[derive(Clone)]
enum Client {
    Tonic(Grpc<tonic::transport::Channel>),
    Ours(Channel),
}

#[derive(Default)]
struct Figures {
    latencies: Vec<Duration>,
    took: Duration,
    cpu: Duration,
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let (plain, of_plain) = on_a_thread(ends::tonic_server());
    let (kit, of_kit) = on_a_thread(kit());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let proxies = proxies::start(folder.path(), plain);
        let ours = |callee| Client::Ours(Channel::new("bench", &format!("http://{callee}")).unwrap());
        let mut ways = vec![
            Way::new("tonic", tonic(plain).await, vec![of_plain.clone()]),
            Way::new("channel", ours(plain), vec![of_plain.clone()]),
            Way::new("and kit", ours(kit), vec![of_kit]),
        ];
        for proxy in &proxies {
            ways.push(Way::new(
                proxy.name,
                tonic(proxy.address).await,
                vec![of_plain.clone(), proxy.watched()],
            ));
        }
        let mut kept = true;
        for at_once in [1, 32] {
            kept &= measure(&mut ways, at_once).await;
        }
        if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

/// Measures all ways; whether the bar is kept.
async fn measure(ways: &mut [Way], at_once: usize) -> bool {
    // The first round fills what a later one finds: connections, caches, the table of headers.
    for round in 0..=ROUNDS {
        for way in &mut *ways {
            way.round(at_once).await;
            if round == 0 {
                way.figures = Figures::default();
            }
        }
    }
    let plain = ways[0].figures.cpu_per_call();
    for way in &mut *ways {
        way.print(at_once, plain);
    }
    let kept = judge(ways, at_once, plain);
    ways.iter_mut().for_each(|way| way.figures = Figures::default());
    kept
}

/// Says how what each of our ends adds compares with the cheapest sidecar; whether the channel keeps the bar.
fn judge(ways: &[Way], at_once: usize, plain: f64) -> bool {
    let added = |way: &Way| way.figures.cpu_per_call() - plain;
    let (ours, sidecars) = ways[1..].split_at(2);
    let Some(cheapest) = sidecars.iter().min_by(|a, b| added(a).total_cmp(&added(b))) else {
        println!("c={at_once}: no sidecar to compare with");
        return true;
    };
    let kept = added(&ours[0]) * BAR <= added(cheapest);
    let verdict = if kept { "kept" } else { "MISSED" };
    println!(
        "c={at_once}: the channel adds {:.1} us of CPU, with the kit {:.1}; {} {:.1}. {BAR} times less than that: {verdict}",
        added(&ours[0]),
        added(&ours[1]),
        cheapest.name,
        added(cheapest)
    );
    kept
}

impl Way {
    fn new(name: &'static str, client: Client, watched: Vec<Watched>) -> Self {
        Self { name, client, watched, figures: Figures::default() }
    }

    fn cpu(&self) -> Duration {
        cpu::of_this_thread() + self.watched.iter().map(Watched::cpu).sum::<Duration>()
    }

    async fn round(&mut self, at_once: usize) {
        let (began, cpu) = (Instant::now(), self.cpu());
        let one = || async {
            let (mut client, mut latencies) = (self.client.clone(), Vec::new());
            for _ in 0..CALLS / at_once {
                let began = Instant::now();
                client.call().await;
                latencies.push(began.elapsed());
            }
            latencies
        };
        let latencies = join_all((0..at_once).map(|_| one())).await;
        self.figures.took += began.elapsed();
        self.figures.cpu += self.cpu() - cpu;
        self.figures.latencies.extend(latencies.into_iter().flatten());
    }

    fn print(&mut self, at_once: usize, plain: f64) {
        let Figures { latencies, took, .. } = &mut self.figures;
        latencies.sort_unstable();
        let median = latencies[latencies.len() / 2].as_secs_f64() * 1e6;
        let per_second = latencies.len() as f64 / took.as_secs_f64();
        let cpu = self.figures.cpu_per_call();
        println!(
            "{:10} c={at_once:<3} p50 {median:7.1} us  {per_second:8.0} calls/s  {cpu:6.1} us CPU, {:+.1}",
            self.name,
            cpu - plain
        );
    }
}

impl Figures {
    fn cpu_per_call(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }
}

impl Client {
    async fn call(&mut self) {
        match self {
            Self::Ours(channel) => {
                channel.unary(&READ, Note::default(), &CallOptions::new()).await.unwrap();
            }
            Self::Tonic(grpc) => {
                grpc.ready().await.unwrap();
                let mut request = tonic::Request::new(Note::default());
                request.set_timeout(Duration::from_secs(5));
                let codec = Protobuf::<Note, Note>::default();
                grpc.unary(request, PathAndQuery::from_static(READ.rules().path), codec).await.unwrap();
            }
        }
    }
}

async fn tonic(address: SocketAddr) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true);
    let mut client = Client::Tonic(Grpc::new(endpoint.connect().await.unwrap()));
    client.call().await;
    client
}

async fn kit() -> SocketAddr {
    let server = Server::new("bench", &ends::CONTRACT).serve(ends::Notes).bind().await.unwrap();
    let address = server.addr();
    tokio::spawn(server.run(CancellationToken::new()));
    address
}

/// Starts a callee on a thread of its own.
fn on_a_thread(callee: impl Future<Output = SocketAddr> + Send + 'static) -> (SocketAddr, Watched) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tell.send((callee.await, Watched::this_thread())).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}

impl Proxy {
    fn watched(&self) -> Watched {
        Watched::Process(self.id())
    }
}
