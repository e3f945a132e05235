//! A TCP proxy on loopback that fails on purpose: it delays, stalls, throttles, holds, cuts, resets and closes.
//!
//! It stands between a client and a server, and its faults can be changed while it runs. The kernel's own emulation of
//! bad networks is not there on every machine; this is. **Invariant:** every decision comes from one seed, which a failing
//! test prints, and no byte is lost, doubled or moved before another.

mod course;
mod faults;
mod pipe;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, lookup_host};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use faults::{Cut, End, Faults, Lane};

use course::{Course, Fate};

/// Sets the seed of every fault proxy of a run: the one that a failing test has printed.
const SEED: &str = "FREEHOLD_TEST_SEED";

/// A proxy that fails on purpose. It goes with its handle, and all its connections with it.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: DropGuard,
}

/// How many connections there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// All that were accepted.
    pub accepted: u64,
    /// Those that are there now, half-open ones too.
    pub open: u64,
    /// Those that ended before their time: on purpose, or because a peer went in the middle.
    pub ended: u64,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    seed: u64,
    faults: watch::Sender<Faults>,
    /// How to end the connections of now; one that comes later does not look at it.
    end_all: watch::Sender<End>,
    accepted: AtomicU64,
    gone: AtomicU64,
    ended: AtomicU64,
}

impl FaultProxy {
    /// A proxy before the server at that address, such as `127.0.0.1:7401`; nothing goes wrong yet. The server may come
    /// later: while nobody listens there, connections are reset.
    ///
    /// # Panics
    /// The address is none, or there is no port.
    pub async fn before(server: impl ToSocketAddrs) -> Self {
        let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        Self::seeded(server, seed.unwrap_or_else(|| fastrand::u64(..))).await
    }

    /// The same with a seed: the same connections and bytes meet the same faults.
    ///
    /// # Panics
    /// The address is none, or there is no port.
    pub async fn seeded(server: impl ToSocketAddrs, seed: u64) -> Self {
        let server = lookup_host(server).await.ok().and_then(|mut found| found.next());
        let Some(server) = server else { panic!("a fault proxy needs the address of a server") };
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = bound.unwrap_or_else(|error| panic!("no port for a fault proxy: {error}"));
        let (faults, end_all) = (watch::Sender::new(Faults::NONE), watch::Sender::new(End::Close));
        let [accepted, gone, ended] = Default::default();
        let shared = Arc::new(Shared { server, seed, faults, end_all, accepted, gone, ended });
        let over = CancellationToken::new();
        let (running, accepting) = (over.clone(), accept(listener, shared.clone()));
        tokio::spawn(async move { running.run_until_cancelled(accepting).await });
        Self { address, shared, _running: over.drop_guard() }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What goes wrong from now on. A share counts for connections that come later; what is said of bytes counts at once.
    pub fn set(&self, faults: Faults) {
        self.shared.faults.send_replace(faults);
    }

    /// Ends every connection that is there now.
    pub fn end_all(&self, end: End) {
        self.shared.end_all.send_replace(end);
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let gone = self.shared.gone.load(Ordering::Acquire);
        let accepted = self.shared.accepted.load(Ordering::Acquire);
        Connections { accepted, open: accepted - gone, ended: self.shared.ended.load(Ordering::Acquire) }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the fault proxy before {}: {SEED}={}", self.shared.server, self.shared.seed);
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // They end with this task: dropping the set aborts them.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let number = shared.accepted.fetch_add(1, Ordering::AcqRel);
                let (shared, end_all) = (shared.clone(), shared.end_all.subscribe());
                connections.spawn(async move {
                    connection(client, number, &shared, end_all).await;
                    shared.gone.fetch_add(1, Ordering::AcqRel);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(client: TcpStream, number: u64, shared: &Shared, end_all: watch::Receiver<End>) {
    let mut random = course::random(shared.seed, number);
    let fate = course::fate(&mut random, &shared.faults.borrow());
    match fate {
        Fate::End(end) => ended(end, client, None, shared).await,
        Fate::HalfOpen => half_open(client, shared, end_all).await,
        Fate::Pass(reset_at) => match TcpStream::connect(shared.server).await {
            Ok(server) => {
                let courses = (Course::new(random.fork(), None), Course::new(random, reset_at));
                between(client, server, courses, shared, end_all).await;
            }
            // As the system does where nobody listens, as far as a proxy can.
            Err(_) => reset(&client),
        },
    }
}

/// Takes what the client says and gives nothing.
async fn half_open(mut client: TcpStream, shared: &Shared, mut end_all: watch::Receiver<End>) {
    let mut nowhere = sink();
    let end = tokio::select! {
        _ = copy(&mut client, &mut nowhere) => return,
        _ = end_all.changed() => *end_all.borrow(),
    };
    ended(end, client, None, shared).await;
}

async fn between(
    mut client: TcpStream,
    mut server: TcpStream,
    (requests, answers): (Course, Course),
    shared: &Shared,
    mut end_all: watch::Receiver<End>,
) {
    // Where a peer has gone already, the first read says so.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let faults = || shared.faults.subscribe();
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let outcome = tokio::select! {
        outcome = async { tokio::try_join!(
            pipe::pass(from_client, to_server, requests, faults(), |faults| &faults.requests),
            pipe::pass(from_server, to_client, answers, faults(), |faults| &faults.answers),
        ) } => outcome.map(drop),
        _ = end_all.changed() => Err(*end_all.borrow()),
    };
    if let Err(end) = outcome {
        ended(end, client, Some(server), shared).await;
    }
}

async fn ended(end: End, mut client: TcpStream, server: Option<TcpStream>, shared: &Shared) {
    shared.ended.fetch_add(1, Ordering::AcqRel);
    match end {
        End::Reset => {
            reset(&client);
            if let Some(server) = server {
                reset(&server);
            }
        }
        End::Close => {
            drop(server);
            // What the client still says is read: a socket that is closed over unread bytes would reset instead.
            if client.shutdown().await.is_ok() {
                while matches!(client.read(&mut [0; 1024]).await, Ok(1..)) {}
            }
        }
    }
}

/// The socket resets its connection when it is dropped.
fn reset(socket: &TcpStream) {
    if let Err(error) = socket.set_zero_linger() {
        eprintln!("a connection is closed where it should be reset: {error}");
    }
}

#[cfg(test)]
mod tests;
