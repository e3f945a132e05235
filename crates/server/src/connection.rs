//! One connection: from its first byte to its end.
//!
//! In: an accepted socket. It is served call by call, each in a task of its own, until the client ends it or the server
//! does; then HTTP/2's GOAWAY says which calls were taken, and those are finished. HTTP/1.1 is spoken for
//! whatever is not gRPC; there the answer under way is finished.
//! **Invariant:** a connection that does nothing but keep itself alive, or floods us with that, does not stay.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::body::Body;

use crate::calls::Calls;
use crate::door::Door;
use crate::guarded::Guarded;
use crate::meter::Offence;
use crate::preface::Protocol;
use crate::stack::Stack;
use crate::{limits, preface};

/// Serves a connection until its client ends it, or until it is told to finish: then it takes no new calls.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, door: Arc<Door>) {
    // Without it, small answers wait for the acknowledgement of earlier ones.
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%error, "the connection was gone before it began");
    }
    // Not cut short by the end: a client whose call is on its way is owed the word that it was not taken.
    let said = {
        // It counts as silent until it has said what it speaks, and not until it ends.
        let unsaid = door.unsaid();
        preface::awaited(stream, unsaid.patience).await
    };
    let ended = match said {
        Ok((Protocol::Http2, io)) => http2(io, &door).await,
        Ok((Protocol::Http1, io)) => http1(io, &door).await,
        Err(error) => {
            if error.kind() == io::ErrorKind::TimedOut {
                door.stack.meter().dropped(Offence::Silence).inc();
            }
            return tracing::debug!(%peer, %error, "no client");
        }
    };
    if let Err(error) = ended {
        if is_flood(&error) {
            door.stack.meter().dropped(Offence::Flood).inc();
        }
        tracing::debug!(%peer, ?error, "the connection broke");
    }
}

/// The HTTP library itself took what came for a flood. What our guard takes for one it counts itself.
fn is_flood(error: &hyper::Error) -> bool {
    let error = error.source().and_then(|error| error.downcast_ref::<h2::Error>());
    error.is_some_and(|error| error.is_library() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

async fn http2(io: impl AsyncRead + AsyncWrite + Unpin, door: &Door) -> hyper::Result<()> {
    let service = service_fn(|request| answered(door.stack.clone(), request));
    let calls = Calls::new(door.tasks.clone());
    let floods = door.stack.meter().dropped(Offence::Flood);
    let io = TokioIo::new(Guarded::new(io, preface::PREFACE.len(), floods));
    let mut connection = pin!(limits::http2(calls.clone()).serve_connection(io, service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = door.tasks.finishing() => {}
        () = calls.lapse(&door.places) => tracing::debug!("a connection without calls is let go"),
        () = aged(door.max_age) => tracing::debug!("a connection is old enough"),
    }
    connection.as_mut().graceful_shutdown();
    // The library takes calls until its client has acknowledged that it should make none, which one may never do.
    let most = door.stack.longest_call() + limits::LEAVING;
    match timeout(most, connection).await {
        Ok(ended) => ended,
        Err(_) => {
            door.stack.meter().dropped(Offence::Overstay).inc();
            tracing::debug!(?most, "a connection did not go and is cut off");
            Ok(())
        }
    }
}

async fn http1(io: impl AsyncRead + AsyncWrite + Unpin, door: &Door) -> hyper::Result<()> {
    let service = service_fn(|request| answered(door.stack.clone(), request));
    let mut connection = pin!(limits::http1().serve_connection(TokioIo::new(io), service));
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = door.tasks.finishing() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// Comes when a connection is old. Chance lengthens it a little: connections that began together do not end together.
async fn aged(max_age: Option<Duration>) {
    match max_age {
        None => std::future::pending().await,
        Some(age) => tokio::time::sleep(age + age.mul_f64(fastrand::f64() / 10.0)).await,
    }
}

/// Not an async function: a call arrives when it is read, and may wait before its task runs.
fn answered(
    stack: Arc<Stack>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> {
    let arrived = Instant::now();
    async move { Ok(stack.answer(request.map(Body::new), arrived).await) }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use bytes::Bytes;
    use freehold_wire::Contract;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::limits::{CROWD, HANDSHAKE, HANDSHAKE_IN_A_CROWD, IDLE, IDLE_WHERE_SCARCE, LEAVING};
    use crate::routes::Routes;
    use crate::tasks::Tasks;

    static NOTHING: Contract = Contract { owners: &[], consumers: &[], descriptors: &[] };

    fn door(max_connections: usize, max_age: Option<Duration>) -> Door {
        let tasks = Tasks::default();
        let stack = Stack::new("nobody", &NOTHING, Routes::default(), None, tasks.clone());
        Door::new(Arc::new(stack), tasks, max_connections, max_age)
    }

    /// Makes a call, and comes when it is answered.
    async fn answered_over(calls: &mut h2::client::SendRequest<Bytes>) {
        let request = Request::post("http://test/a.v1.A/B").body(()).unwrap();
        let (answer, mut body) = calls.send_request(request, false).unwrap();
        body.send_data(Bytes::new(), true).unwrap();
        answer.await.unwrap();
    }

    /// C26: whoever has said what it speaks is no silent one. The planted fault, and once a real one, is a count that goes
    /// down with the end of the connection.
    #[tokio::test]
    async fn clients_that_have_spoken_are_no_crowd_of_silent_ones() {
        let door = Arc::new(door(1000, None));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..CROWD + 8 {
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (server, peer) = listener.accept().await.unwrap();
            tokio::spawn(serve(server, peer, door.clone()));
            let (mut calls, connection) = h2::client::handshake(client).await.unwrap();
            tokio::spawn(connection);
            answered_over(&mut calls).await;
            clients.push(calls);
        }
        assert_eq!(door.unsaid().patience, HANDSHAKE);
        let _crowd: Vec<_> = (0..CROWD).map(|_| door.unsaid()).collect();
        assert_eq!(door.unsaid().patience, HANDSHAKE_IN_A_CROWD);
    }

    /// How long a connection lasts that is made, called on once and then left alone, where there is so much room.
    async fn lasts(max_connections: usize) -> Duration {
        let door = door(max_connections, None);
        let _place = door.places.take([127, 0, 0, 1].into()).unwrap();
        let (client, server) = tokio::io::duplex(64 * 1024);
        let served = tokio::spawn(async move { http2(server, &door).await });
        let (mut calls, connection) = h2::client::handshake(client).await.unwrap();
        let connection = tokio::spawn(connection);
        answered_over(&mut calls).await;
        let begun = tokio::time::Instant::now();
        // Whether it or the client closes first is left to chance.
        let _ = timeout(IDLE * 10, served).await.expect("it is kept").unwrap();
        connection.await.unwrap().unwrap();
        begun.elapsed()
    }

    /// C26: it answers every PING and is let go all the same; sooner where its place is wanted. The planted fault is a
    /// connection that only keepalive ends.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_nobody_calls_on_is_let_go() {
        let roomy = lasts(1000).await;
        assert!((IDLE..IDLE + IDLE_WHERE_SCARCE * 3).contains(&roomy), "{roomy:?}");
        let scarce = lasts(1).await;
        assert!((IDLE_WHERE_SCARCE..IDLE_WHERE_SCARCE * 4).contains(&scarce), "{scarce:?}");
    }

    /// What a peer says first: the preface and empty SETTINGS.
    const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    /// The block of a call of `/`, whatever that is: POST, http, `/`.
    const CALL: [u8; 3] = [0x83, 0x86, 0x84];
    const GOAWAY: u8 = 7;

    /// How long a peer stays that is told to go and never acknowledges a PING, whether or not it goes on calling.
    async fn stays(calling: bool) -> Duration {
        let door = door(1000, Some(Duration::from_secs(5)));
        let (client, server) = tokio::io::duplex(64 * 1024);
        let served = tokio::spawn(async move { http2(server, &door).await });
        let (mut read, mut write) = tokio::io::split(client);
        write.write_all(HELLO).await.unwrap();
        let mut pace = tokio::time::interval(Duration::from_secs(10));
        let calls = tokio::spawn(async move {
            for stream in (1_u32..).step_by(2).take_while(|_| calling) {
                let call = [&[0, 0, 3, 1, 5][..], &stream.to_be_bytes(), &CALL].concat();
                if write.write_all(&call).await.is_err() {
                    return;
                }
                pace.tick().await;
            }
            std::future::pending().await
        });
        let (mut head, mut told) = ([0; 9], None);
        let heard = async {
            while read.read_exact(&mut head).await.is_ok() {
                let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
                read.read_exact(&mut payload).await.unwrap();
                if head[3] == GOAWAY {
                    told.get_or_insert_with(tokio::time::Instant::now);
                }
            }
        };
        timeout(Duration::from_secs(24 * 3600), heard).await.expect("it stays");
        calls.abort();
        let _ = served.await.unwrap();
        told.expect("it is told to go").elapsed()
    }

    /// C21: the library waits for the acknowledgement of a PING before it takes no more calls. The planted fault is to wait
    /// with it: whoever never acknowledges and goes on calling stays for ever.
    #[tokio::test(start_paused = true)]
    async fn whoever_is_told_to_go_is_gone_in_time() {
        let idle = stays(false).await;
        assert!(idle < Duration::from_secs(60), "{idle:?}");
        let (calling, longest) = (stays(true).await, Duration::from_secs(4 * 3600));
        assert!((longest..=longest + LEAVING * 2).contains(&calling), "{calling:?}");
    }
}
