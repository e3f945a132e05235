//! The fault proxy on real sockets, before a server that gives back what it is given.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::split;

use super::*;
use crate::eventually;

const LONG: Duration = Duration::from_secs(60);

/// A server that gives back what it is given, and counts who came.
async fn echo() -> (SocketAddr, watch::Receiver<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, (came, count)) = (listener.local_addr().unwrap(), watch::channel(0));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            came.send_modify(|count| *count += 1);
            tokio::spawn(async move {
                let (mut read, mut write) = split(socket);
                let _ = copy(&mut read, &mut write).await;
                let _ = write.shutdown().await;
            });
        }
    });
    (address, count)
}

async fn proxy(faults: Faults) -> FaultProxy {
    let (address, _) = echo().await;
    let proxy = FaultProxy::before(address).await;
    proxy.set(faults);
    proxy
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends `said` and reads as many bytes back.
async fn exchange(socket: &mut TcpStream, said: &[u8]) -> Vec<u8> {
    socket.write_all(said).await.unwrap();
    let mut heard = vec![0; said.len()];
    socket.read_exact(&mut heard).await.unwrap();
    heard
}

/// Whatever goes wrong with the time of bytes, what arrives is what was sent. The planted fault is a queue that is left
/// from its end.
#[tokio::test]
async fn what_arrives_is_what_was_sent() {
    let lane = Lane {
        jitter: Duration::from_millis(3),
        loss: 0.2,
        stall: Duration::from_millis(5),
        bytes_per_second: Some(4_000_000),
        ..Lane::CLEAR
    };
    let proxy = proxy(Faults { requests: lane, answers: lane, ..Faults::NONE }).await;
    let said: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let (mut read, mut write) = connect(&proxy).await.into_split();
    let sent = said.clone();
    let writing = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut heard = Vec::new();
    read.read_to_end(&mut heard).await.unwrap();
    writing.await.unwrap();
    assert!(heard == said, "{} of {} bytes came", heard.len(), said.len());
}

#[tokio::test]
async fn an_answer_is_delayed_and_the_fault_can_be_taken_away() {
    let delay = Duration::from_millis(80);
    let proxy = proxy(Faults::delay(delay)).await;
    let mut socket = connect(&proxy).await;
    let begin = Instant::now();
    exchange(&mut socket, b"late").await;
    assert!(begin.elapsed() >= delay, "{:?}", begin.elapsed());
    proxy.set(Faults::NONE);
    assert_eq!(exchange(&mut socket, b"in time").await, b"in time");
}

#[tokio::test]
async fn a_throttled_answer_takes_its_time() {
    let slow = Lane { bytes_per_second: Some(10_000), ..Lane::CLEAR };
    let proxy = proxy(Faults { answers: slow, ..Faults::NONE }).await;
    let begin = Instant::now();
    exchange(&mut connect(&proxy).await, &[1; 1000]).await;
    assert!(begin.elapsed() >= Duration::from_millis(99), "{:?}", begin.elapsed());
}

/// The planted fault is a pipe that does not look at `held`.
#[tokio::test]
async fn a_black_hole_keeps_everything_until_it_ends() {
    let (address, _) = echo().await;
    let proxy = FaultProxy::before(address).await;
    let mut socket = connect(&proxy).await;
    exchange(&mut socket, b"before").await;
    proxy.set(Faults::black_hole());
    socket.write_all(b"held").await.unwrap();
    // The same server answers others meanwhile.
    for _ in 0..100 {
        exchange(&mut TcpStream::connect(address).await.unwrap(), b"beside").await;
    }
    assert_eq!(socket.try_read(&mut [0; 10]).unwrap_err().kind(), ErrorKind::WouldBlock);
    proxy.set(Faults::NONE);
    assert_eq!(exchange(&mut socket, b" on").await, b"hel", "what was held comes first");
}

#[tokio::test]
async fn a_connection_is_reset() {
    let proxy = proxy(Faults { reset: 1.0, ..Faults::NONE }).await;
    let mut socket = connect(&proxy).await;
    let error = socket.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.connections().ended, 1);
}

#[tokio::test]
async fn a_connection_is_closed() {
    let proxy = proxy(Faults { close: 1.0, ..Faults::NONE }).await;
    let mut socket = connect(&proxy).await;
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_half_open_never_reaches_the_server() {
    let (address, came) = echo().await;
    let proxy = FaultProxy::before(address).await;
    proxy.set(Faults { half_open: 1.0, ..Faults::NONE });
    let mut silent = connect(&proxy).await;
    silent.write_all(b"is anybody there?").await.unwrap();
    eventually("the half-open connection", LONG, async || (proxy.connections().open == 1).then_some(()))
        .await;
    proxy.set(Faults::NONE);
    exchange(&mut connect(&proxy).await, b"later").await;
    assert_eq!(*came.borrow(), 1, "only the later one came through");
    assert_eq!(silent.try_read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    proxy.end_all(End::Close);
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_is_cut_at_its_byte() {
    let lane = Lane { cut: Some(Cut { after: 7, end: End::Close }), ..Lane::CLEAR };
    let proxy = proxy(Faults { answers: lane, ..Faults::NONE }).await;
    let mut socket = connect(&proxy).await;
    socket.write_all(b"half an answer").await.unwrap();
    let mut heard = Vec::new();
    socket.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"half an");
}

#[tokio::test]
async fn all_connections_of_now_are_reset_and_later_ones_are_not() {
    let proxy = proxy(Faults::NONE).await;
    let mut now = connect(&proxy).await;
    exchange(&mut now, b"here").await;
    proxy.end_all(End::Reset);
    assert_eq!(now.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    exchange(&mut connect(&proxy).await, b"later").await;
    eventually("one left", LONG, async || (proxy.connections().open <= 1).then_some(())).await;
    assert_eq!(proxy.connections().accepted, 2);
}

/// The planted fault is a random number without the seed.
#[tokio::test]
async fn the_same_seed_resets_the_same_connections() {
    let (address, _) = echo().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let proxy = FaultProxy::seeded(address, 42).await;
        proxy.set(Faults { reset: 0.3, ..Faults::NONE });
        let mut passed = Vec::new();
        for _ in 0..40 {
            let mut socket = connect(&proxy).await;
            let sent = socket.write_all(b"x").await;
            passed.push(sent.is_ok() && matches!(socket.read(&mut [0; 1]).await, Ok(1)));
        }
        runs.push(passed);
    }
    assert!(runs[0].contains(&true) && runs[0].contains(&false), "{runs:?}");
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn where_no_server_is_connections_are_reset() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = FaultProxy::before(free).await;
    let error = connect(&proxy).await.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_proxy_goes_with_its_handle() {
    let proxy = proxy(Faults::NONE).await;
    let (address, mut socket) = (proxy.address(), connect(&proxy).await);
    exchange(&mut socket, b"here").await;
    drop(proxy);
    assert!(!matches!(socket.read(&mut [0; 1]).await, Ok(1..)));
    eventually("the end of the port", LONG, async || TcpStream::connect(address).await.err()).await;
}
