//! C27 on sockets: twice and five times the calls that a server can do, come what may, beside tonic alone in the same run.
//!
//! `cargo bench -p freehold-client --bench overload`. A call takes one of four places for eight milliseconds, as a query takes
//! one of a pool of connections, so that what the server can do is the same for both and on every machine. A tenth of the
//! calls is critical, half are ordinary, the rest is sheddable. Nothing is configured on either side.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod servers;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel};
use freehold_wire::Method;
use freehold_wire::codec::Protobuf;
use futures_util::future::join_all;
use http::uri::PathAndQuery;
use servers::{CRITICAL, Note, ORDINARY, SHEDDABLE};
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::transport::Endpoint;

/// What each call may take.
const DEADLINE: Duration = Duration::from_millis(250);
/// How long a load lasts, and how long it is looked at what comes after it.
const LASTS: Duration = Duration::from_secs(8);
const AFTER: Duration = Duration::from_secs(6);
/// So many callers, each of which waits for its answer, keep the four places busy: what these get done is the peak.
const CALLERS: usize = 8;
const TICK: Duration = Duration::from_millis(5);
/// The methods of ten calls.
const TEN: [&Method<Note, Note>; 10] = [
    &CRITICAL, &ORDINARY, &SHEDDABLE, &ORDINARY, &SHEDDABLE, &ORDINARY, &SHEDDABLE, &ORDINARY, &SHEDDABLE,
    &ORDINARY,
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for load in [2.0, 5.0] {
            let channel = Channel::new("bench", &servers::kit()).unwrap();
            run("channel and kit", load, move |method| {
                let channel = channel.clone();
                async move {
                    let options = CallOptions::new().with_deadline(DEADLINE);
                    channel.unary(method, Note::default(), &options).await.is_ok()
                }
            })
            .await;
            let plain = Endpoint::from_shared(servers::tonic()).unwrap().tcp_nodelay(true).timeout(DEADLINE);
            let plain = Grpc::new(plain.connect().await.unwrap());
            run("tonic alone", load, move |method| {
                let mut plain = plain.clone();
                async move {
                    plain.ready().await.unwrap();
                    let codec = Protobuf::<Note, Note>::default();
                    let path = PathAndQuery::from_static(method.rules().path);
                    plain.unary(tonic::Request::new(Note::default()), path, codec).await.is_ok()
                }
            })
            .await;
        }
    });
}

/// A call that has ended.
struct Ended {
    begun: Instant,
    method: &'static str,
    answered: bool,
}

/// Calls at `load` times the peak, then at half of it; prints what came of both.
async fn run<F>(
    name: &str,
    load: f64,
    call: impl Fn(&'static Method<Note, Note>) -> F + Send + Sync + 'static,
) where
    F: Future<Output = bool> + Send + 'static,
{
    let call = Arc::new(call);
    let peak = peak(&call).await;
    let under = offered(load * peak, LASTS, &call).await;
    let over = Instant::now();
    let after = offered(0.5 * peak, AFTER, &call).await;
    let kept = |method: &Method<Note, Note>| {
        let (answered, all) = counted(under.iter().filter(|ended| ended.method == method.rules().path));
        100.0 * answered / all
    };
    let (answered, _) = counted(under.iter());
    let failed = after.iter().filter(|ended| !ended.answered).map(|ended| ended.begun - over).max();
    println!(
        "{load}x {name:16} goodput {:5.1} % of {peak:.0}/s; kept: critical {:6.2} %, ordinary {:5.1} %, sheddable {:4.1} %; last \
         failure {:.1} s after",
        100.0 * answered / (peak * LASTS.as_secs_f64()),
        kept(&CRITICAL),
        kept(&ORDINARY),
        kept(&SHEDDABLE),
        failed.unwrap_or_default().as_secs_f64(),
    );
}

/// Calls a second, where nobody begins a call before their last one has ended.
async fn peak<F>(call: &Arc<impl Fn(&'static Method<Note, Note>) -> F + Send + Sync + 'static>) -> f64
where
    F: Future<Output = bool> + Send + 'static,
{
    let began = Instant::now();
    let one = async || {
        let mut answered = 0;
        while began.elapsed() < LASTS / 2 {
            answered += u32::from(call(&ORDINARY).await);
        }
        answered
    };
    let answered = join_all((0..CALLERS).map(|_| one())).await.into_iter().sum::<u32>();
    f64::from(answered) / began.elapsed().as_secs_f64()
}

fn counted<'a>(ended: impl Iterator<Item = &'a Ended>) -> (f64, f64) {
    ended.fold((0.0, 0.0), |(answered, all), ended| {
        (answered + f64::from(u8::from(ended.answered)), all + 1.0)
    })
}

/// Begins calls at an even rate, whatever becomes of them, and waits for the end of each.
async fn offered<F>(
    rate: f64,
    lasts: Duration,
    call: &Arc<impl Fn(&'static Method<Note, Note>) -> F + Send + Sync + 'static>,
) -> Vec<Ended>
where
    F: Future<Output = bool> + Send + 'static,
{
    let (tell, mut told) = mpsc::unbounded_channel();
    let (began, mut tick) = (Instant::now(), tokio::time::interval(TICK));
    let mut count = 0_u32;
    while began.elapsed() < lasts {
        tick.tick().await;
        while f64::from(count) < began.elapsed().as_secs_f64() * rate {
            let (tell, call, method) = (tell.clone(), Arc::clone(call), TEN[count as usize % 10]);
            count += 1;
            tokio::spawn(async move {
                let begun = Instant::now();
                // An answer that comes late is none.
                let answered = call(method).await && begun.elapsed() <= DEADLINE + TICK;
                tell.send(Ended { begun, method: method.rules().path, answered }).unwrap();
            });
        }
    }
    drop(tell);
    let mut ended = Vec::new();
    while let Some(one) = told.recv().await {
        ended.push(one);
    }
    ended
}
