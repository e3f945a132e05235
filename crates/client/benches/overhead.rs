//! What the channel costs beside a raw tonic client: the same calls to the same callee, in turns in the same run.
//!
//! `cargo bench -p freehold-client --bench overhead`. The callee has a thread of its own; the client's CPU time is that of
//! its thread. Printed: the median latency, calls per second, and microseconds of CPU per call.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use freehold_client::{CallOptions, Channel};
use freehold_wire::codec::Protobuf;
use freehold_wire::methods::directory::LIST;
use freehold_wire::pb::{ListServicesRequest, ListServicesResponse};
use futures_util::future::join_all;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
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
    let url = callee();
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

/// A callee on a thread of its own that answers every call with the same note.
fn callee() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                tokio::spawn(answer(socket));
            }
        });
    });
    told.recv().unwrap()
}

async fn answer(socket: TcpStream) {
    let message = ListServicesResponse::default().encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let frame: Bytes = [&[0], &length[..], &message].concat().into();
    let mut connection = h2::server::handshake(socket).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let frame = frame.clone();
        tokio::spawn(async move {
            // A callee that answers before it has heard all resets the rest, and is told to calm down.
            let mut body = request.into_body();
            while body.data().await.is_some() {}
            let head = http::Response::builder().header("content-type", "application/grpc").body(());
            let mut stream = respond.send_response(head.unwrap(), false).unwrap();
            stream.send_data(frame, false).unwrap();
            let trailers = [("grpc-status", "0")].map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()));
            stream.send_trailers(trailers.into_iter().collect()).unwrap();
        });
    }
}
