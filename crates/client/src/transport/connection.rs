//! The task behind a replica's connection: it dials, drives the connection until it ends, and dials again while calls
//! wait for it.
//!
//! It holds nothing that keeps a channel alive: a channel that is dropped ends its connections, once their calls have
//! ended. **Invariant:** a frozen peer that has calls is found out within the keepalive's interval and timeout.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Weak;

use bytes::Bytes;
use h2::client::Connection;
use h2::{Ping, PingPong};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::dial::{Patience, dial};
use super::health;
use super::pool::Pool;
use super::replicas::ConnectionId;
use crate::policy::balancer::ReplicaId;

/// A connection that calls can be sent on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connected {
    pub(crate) replica: ReplicaId,
    pub(crate) address: SocketAddr,
    pub(crate) connection: ConnectionId,
}

/// Dials a replica until there is a connection, and drives it until it ends.
pub(crate) async fn connect(pool: Weak<Pool>, replica: ReplicaId, address: SocketAddr, patience: Patience) {
    loop {
        let Some(wait) = pool.upgrade().and_then(|pool| pool.wait_before_dial(replica)) else { return };
        sleep(wait).await;
        let dialled = dial(address, patience).await;
        let Some(strong) = pool.upgrade() else { return };
        match dialled {
            Ok((send, connection)) => {
                let Some(at) = strong.connected(replica, send) else { return };
                let several = strong.several();
                drop(strong);
                return drive(&pool, at, connection, several, patience).await;
            }
            Err(error) => {
                if !strong.is_wanted_after(replica, error) {
                    return;
                }
            }
        }
    }
}

async fn drive(
    pool: &Weak<Pool>,
    at: Connected,
    mut connection: Connection<TcpStream, Bytes>,
    several: watch::Receiver<bool>,
    patience: Patience,
) {
    let pings = connection.ping_pong();
    tokio::select! {
        biased;
        _ended = &mut connection => {}
        () = keepalive(pool, at, pings, patience) => {}
        () = health::watch(pool, at, several) => {}
    }
    // The pool stops lending it before the calls that are still on it break.
    if let Some(pool) = pool.upgrade() {
        pool.disconnected(at);
    }
    drop(connection);
}

/// Ends when the peer gives no sign of life. A peer without calls is not asked: it may count that as abuse.
async fn keepalive(pool: &Weak<Pool>, at: Connected, pings: Option<PingPong>, patience: Patience) {
    let Some(mut pings) = pings else { return pending().await };
    loop {
        sleep(patience.keepalive).await;
        if !pool.upgrade().is_some_and(|pool| pool.was_used(at)) {
            continue;
        }
        if !matches!(timeout(patience.sign, pings.ping(Ping::opaque())).await, Ok(Ok(_))) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http::HeaderMap;
    use http::uri::PathAndQuery;
    use tokio::net::TcpListener;

    use super::*;
    use crate::codec::framed;
    use crate::fault::Fault;
    use crate::meter::Sights;
    use crate::policy::balancer::Wish;
    use crate::transport::exchange::{Outgoing, open, request};

    const LONG: Duration = Duration::from_secs(20);

    /// C3: a peer that freezes with a call on it is found out by its silence; the next call has another connection.
    #[tokio::test]
    async fn a_frozen_peer_is_replaced() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut frozen = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                // From here on nothing is read or written: no call, no ping.
                let call = connection.accept().await;
                frozen.push((connection, call));
            }
        });
        let short = Duration::from_millis(50);
        let pool =
            Arc::new(Pool::new(Patience { connect: LONG, keepalive: short, sign: short }, Sights::default()));
        pool.replace(&[address]);
        let lease = pool.lease(Wish::default()).await;
        let head = request(
            address.to_string().parse().unwrap(),
            PathAndQuery::from_static("/a.v1.A/B"),
            HeaderMap::new(),
        );
        let asked = open::<()>(lease.sender(), head, Outgoing::Whole(framed(b"")));
        let outcome = timeout(LONG, asked).await.unwrap();
        assert!(matches!(outcome, Err(Fault::Broken(Some(_)))));
        let next = timeout(LONG, pool.lease(Wish::default())).await.unwrap();
        assert_ne!(next.at().connection, lease.at().connection);
    }

    /// C3: a peer that accepts and never speaks has no connection, so no call is given to it.
    #[tokio::test]
    async fn a_peer_that_never_speaks_gets_no_call() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let short = Duration::from_millis(20);
        let pool =
            Arc::new(Pool::new(Patience { connect: short, keepalive: LONG, sign: LONG }, Sights::default()));
        pool.replace(&[silent.local_addr().unwrap()]);
        assert!(timeout(Duration::from_millis(100), pool.lease(Wish::default())).await.is_err());
    }
}
