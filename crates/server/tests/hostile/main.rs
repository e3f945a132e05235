//! C23, C25, C26: peers that send a server frames of the test's own making, floods of them too, and what the others and the
//! memory feel of it.
//!
//! In a process of their own: memory is measured of the whole process, the attackers in it too.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod claimed;
mod frames;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use freehold_server::Server;
use freehold_testkit::eventually;
use freehold_wire::Contract;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, HELLO, PING, PRIORITY, RST_STREAM, SETTINGS,
    UNKNOWN, WINDOW_UPDATE, call, frame,
};

/// How long a test waits for what must happen before it calls that a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// By how much the process may grow at any time of an attack, in KiB.
const MOST_GROWTH: u64 = 10 * 1024;
/// How many connections say nothing.
const SILENT: usize = 200;
const CHECK: &str = "/grpc.health.v1.Health/Check";
/// The payload of a reset that says that the call was not processed (RFC 9113, section 8.7).
const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
const WATCH: &str = "/grpc.health.v1.Health/Watch";

static NOTHING: Contract = Contract { owners: &[], consumers: &[], descriptors: &[] };

/// What an attacker sends before its flood, and the flood's n-th piece.
struct Attack {
    name: &'static str,
    before: Vec<u8>,
    piece: fn(u32) -> Vec<u8>,
}

fn attacks() -> Vec<Attack> {
    let unfinished = frame(HEADERS, 0, 1, &call(CHECK));
    let open = frame(HEADERS, END_HEADERS, 1, &call(CHECK));
    let attack = |name, before: &[u8], piece| Attack { name, before: before.to_vec(), piece };
    vec![
        attack("PING", &[], |_| frame(PING, 0, 0, &[7; 8])),
        attack("SETTINGS", &[], |_| frame(SETTINGS, 0, 0, &[])),
        attack("PRIORITY", &[], |_| frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 16])),
        attack("WINDOW_UPDATE", &[], |number| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, (number % 2) as u8 + 1])),
        attack("a type that is none", &[], |_| frame(UNKNOWN, 0, 0, &[1; 10])),
        attack("empty DATA", &open, |_| frame(DATA, 0, 1, &[])),
        attack("CONTINUATION", &unfinished, |_| frame(CONTINUATION, 0, 1, &[])),
        attack("rapid reset", &[], |number| {
            let stream = 2 * number + 1;
            let begun = frame(HEADERS, END_HEADERS, stream, &call(WATCH));
            [begun, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        }),
        attack("headers that never end", &unfinished, |_| {
            frame(CONTINUATION, 0, 1, &[0x40, 1, b'x', 1, b'y'])
        }),
    ]
}

/// C26: each flood is cut off, the process grows by 10 MB at most at any time, and a client beside it notices nothing.
/// Plain tonic does not cut off PING and SETTINGS; here the planted fault is a connection without its guard, under which
/// these, PRIORITY, WINDOW_UPDATE and unknown types never end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_is_cut_off_and_nobody_else_notices() {
    let bound = Server::new("nobody", &NOTHING).bind().await.unwrap();
    let (address, shutdown) = (bound.addr(), CancellationToken::new());
    let served = tokio::spawn(bound.run(shutdown.clone()));
    let other = Other::start(address).await;
    for (before, attack) in attacks().into_iter().enumerate() {
        let (grown, cut_off_after) = grows(flooded(address, &attack)).await;
        println!("{}: cut off after {cut_off_after:?}, grown by {grown} KiB", attack.name);
        assert!(grown <= MOST_GROWTH, "{}: {grown} KiB", attack.name);
        other.is_well(attack.name).await;
        // Counted by whoever of us cut it off: our guard or the HTTP library.
        eventually(attack.name, PATIENCE, async || (dropped("flood") == before as u64 + 1).then_some(()))
            .await;
    }
    let (grown, refused) = grows(a_thousand_streams(address)).await;
    println!("1,000 streams: {refused} refused, grown by {grown} KiB");
    assert!(grown <= MOST_GROWTH && refused >= 400, "{grown} KiB, {refused} refused");
    other.is_well("1,000 streams").await;
    let (grown, after) = grows(silent_connections(address)).await;
    println!("silent connections: let go after {after:?}, grown by {grown} KiB");
    assert!(grown <= MOST_GROWTH, "silent connections: {grown} KiB");
    assert_eq!((dropped("silence"), dropped("overstay")), (SILENT as u64, 0));
    other.end().await;
    shutdown.cancel();
    timeout(PATIENCE, served).await.unwrap().unwrap().unwrap();
}

/// How many connections the server has cut off for this.
fn dropped(reason: &'static str) -> u64 {
    freehold_metrics::of("nobody").server.dropped_connections.at([reason.into()]).get()
}

/// Floods until the server ends the connection, and says how long that took.
async fn flooded(address: SocketAddr, attack: &Attack) -> Duration {
    let (read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let ended = tokio::spawn(read_to_the_end(read));
    write.write_all(&[HELLO, &attack.before].concat()).await.unwrap();
    let begun = Instant::now();
    let flood = async {
        let mut number = 0;
        loop {
            let pieces: Vec<u8> = (number..number + 100).flat_map(attack.piece).collect();
            number += 100;
            if write.write_all(&pieces).await.is_err() {
                return;
            }
        }
    };
    timeout(PATIENCE, flood).await.unwrap_or_else(|_| panic!("{} is not cut off", attack.name));
    let after = begun.elapsed();
    timeout(PATIENCE, ended).await.expect("the connection ends").unwrap();
    after
}

async fn read_to_the_end(mut read: OwnedReadHalf) {
    let mut heard = [0; 4096];
    while matches!(read.read(&mut heard).await, Ok(1..)) {}
}

/// Begins a thousand calls that never end, and says how many were refused.
async fn a_thousand_streams(address: SocketAddr) -> usize {
    // An empty request to Watch; what follows it is a PING, whose answer shows that all before it has been read.
    let streams = (0..1000_u32).flat_map(|number| {
        let stream = 2 * number + 1;
        let begun = frame(HEADERS, END_HEADERS, stream, &call(WATCH));
        [begun, frame(DATA, END_STREAM, stream, &[0; 5])].concat()
    });
    let said: Vec<u8> = HELLO.iter().copied().chain(streams).chain(frame(PING, 0, 0, b"complete")).collect();
    let heard = heard(address, &said).await;
    assert!(heard.iter().any(|(_, payload)| payload == b"complete"), "the connection is not kept");
    heard.iter().filter(|(kind, payload)| *kind == RST_STREAM && payload[..] == REFUSED_STREAM).count()
}

/// C25: a header whose value holds a line's end or a NUL, or whose name is none, reaches no handler, so nothing of it can come
/// into another header, a log line or a trace; and the server goes on.
#[tokio::test]
async fn a_header_that_is_none_is_never_answered() {
    let bound = Server::new("nobody", &NOTHING).bind().await.unwrap();
    let (address, shutdown) = (bound.addr(), CancellationToken::new());
    let served = tokio::spawn(bound.run(shutdown.clone()));
    let fields: [(&[u8], &[u8], bool); 6] = [
        (b"x-request-id", b"1", true),
        (b"x-request-id", b"1\r\ngrpc-status: 0", false),
        (b"traceparent", b"00-1\n", false),
        (b"freehold-caller", b"orders\0", false),
        (b"x y", b"1", false),
        (b"X-Upper", b"1", false),
    ];
    for (name, value, is_one) in fields {
        let length = |text: &[u8]| u8::try_from(text.len()).unwrap();
        let field = [&[0, length(name)][..], name, &[length(value)], value].concat();
        let begun = frame(HEADERS, END_HEADERS, 1, &[call(CHECK), field].concat());
        let message = frame(DATA, END_STREAM, 1, &[0; 5]);
        let said = [HELLO, &begun, &message, &frame(PING, 0, 0, b"complete")].concat();
        let answered = heard(address, &said).await.iter().any(|(kind, _)| *kind == HEADERS);
        assert_eq!(answered, is_one, "{}", String::from_utf8_lossy(value));
    }
    shutdown.cancel();
    timeout(PATIENCE, served).await.unwrap().unwrap().unwrap();
}

/// Says all that, and gives the frames that come until the last PING is answered, each begun call is, or the connection ends.
async fn heard(address: SocketAddr, said: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = socket.split();
    let heard = async {
        let (mut frames, mut head, mut complete) = (Vec::new(), [0; 9], false);
        while !(complete && frames.iter().any(|(kind, _)| matches!(*kind, HEADERS | RST_STREAM))) {
            if read.read_exact(&mut head).await.is_err() {
                break;
            }
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            if read.read_exact(&mut payload).await.is_err() {
                break;
            }
            complete |= payload == b"complete";
            frames.push((head[3], payload));
        }
        frames
    };
    // The server may end the connection before all is said.
    let both = async { tokio::join!(write.write_all(said), heard).1 };
    timeout(PATIENCE, both).await.expect("neither an answer nor an end")
}

/// Connects many times without a word, and says when all of these connections were ended.
async fn silent_connections(address: SocketAddr) -> Duration {
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let begun = Instant::now();
    for mut socket in silent {
        let ended = timeout(PATIENCE, socket.read(&mut [0; 1])).await.expect("it is kept");
        assert_eq!(ended.unwrap_or_default(), 0);
    }
    begun.elapsed()
}

/// What the attack gives, and by how much the process grew at most meanwhile, in KiB.
async fn grows<T>(attack: impl Future<Output = T>) -> (u64, T) {
    // Sets the peak back to what is used now (proc(5)).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let outcome = attack.await;
    (memory("VmHWM:").saturating_sub(before), outcome)
}

fn memory(of: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(of)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A client that keeps calling.
struct Other {
    calls: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    calling: JoinHandle<()>,
}

impl Other {
    async fn start(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut health = HealthClient::new(endpoint.connect().await.unwrap());
        let (calls, over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, told) = (calls.clone(), over.clone());
        let calling = tokio::spawn(async move {
            while !told.load(Ordering::Relaxed) {
                let mut call = Request::new(HealthCheckRequest::default());
                call.set_timeout(PATIENCE);
                match health.check(call).await {
                    Ok(_) => counted.fetch_add(1, Ordering::Relaxed),
                    // A machine that stands still may be late with it.
                    Err(late) if late.code() == Code::DeadlineExceeded => continue,
                    Err(error) => panic!("a call beside the attack fails: {error}"),
                };
            }
        });
        Self { calls, over, calling }
    }

    /// Its calls are answered after the attack of that name as before.
    async fn is_well(&self, attack: &str) {
        let before = self.calls.load(Ordering::Relaxed);
        freehold_testkit::eventually(attack, PATIENCE, async || {
            assert!(!self.calling.is_finished(), "{attack}: its calls have failed");
            (self.calls.load(Ordering::Relaxed) >= before + 20).then_some(())
        })
        .await;
    }

    async fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.calling.await.unwrap();
    }
}
