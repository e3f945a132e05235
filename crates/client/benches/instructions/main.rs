//! One call after the other in one thread, by one of four ways: ours and its peer, at either end of a call.
//!
//! `instructions WAY CALLS`, for `cargo xtask instructions`, which counts what each way executes. The other end is the same
//! bare HTTP/2 for both of a pair. Without arguments each way is timed. **Invariant:** nothing but the calls depends on
//! their number, so two runs of different length differ by calls alone.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod ends;

use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel};
use freehold_server::Server;
use freehold_wire::codec::Protobuf;
use http::uri::PathAndQuery;
use tokio_util::sync::CancellationToken;
use tonic::client::Grpc;
use tonic::transport::Endpoint;

use ends::{Caller, Note, Notes, READ};

/// How many calls are made where nobody says it.
const CALLS: usize = 20_000;

/// Each way and what takes it.
const WAYS: [&str; 4] = ["channel", "tonic-client", "kit", "tonic-server"];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match &words[..] {
        [way, calls] => run(way, calls.parse().unwrap()),
        _ => WAYS.into_iter().for_each(timed),
    }
}

fn timed(way: &str) {
    run(way, CALLS / 10);
    let began = Instant::now();
    run(way, CALLS);
    let micros = began.elapsed().as_secs_f64() * 1e6 / CALLS as f64;
    println!("{way:12} {micros:6.1} us a call, both ends in one thread");
}

/// Makes `calls` by `way`, both ends in this thread: the order of what happens is the same in each run.
fn run(way: &str, calls: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match way {
            "channel" => {
                let channel = Channel::new("bench", &ends::callee().await).unwrap();
                for _ in 0..calls {
                    channel.unary(&READ, Note::default(), &CallOptions::new()).await.unwrap();
                }
            }
            "tonic-client" => {
                let endpoint = Endpoint::from_shared(ends::callee().await).unwrap().tcp_nodelay(true);
                let mut grpc = Grpc::new(endpoint.connect().await.unwrap());
                for _ in 0..calls {
                    raw(&mut grpc).await;
                }
            }
            "kit" => {
                let server = Server::new("bench", &ends::CONTRACT).serve(Notes).bind().await.unwrap();
                let address = server.addr();
                tokio::spawn(server.run(CancellationToken::new()));
                calls_of(Caller::connect(address).await, calls).await;
            }
            "tonic-server" => calls_of(Caller::connect(ends::tonic_server().await).await, calls).await,
            other => panic!("there is no way `{other}`; there are {WAYS:?}"),
        }
    });
}

async fn raw(grpc: &mut Grpc<tonic::transport::Channel>) {
    grpc.ready().await.unwrap();
    let mut request = tonic::Request::new(Note::default());
    request.set_timeout(Duration::from_secs(5));
    let codec = Protobuf::<Note, Note>::default();
    grpc.unary(request, PathAndQuery::from_static(READ.rules().path), codec).await.unwrap();
}

async fn calls_of(mut caller: Caller, calls: usize) {
    for _ in 0..calls {
        caller.call().await;
    }
}
