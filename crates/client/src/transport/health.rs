//! Whether a replica says that it serves: a Watch of the standard health service, while there is another replica to
//! turn to.
//!
//! Source: the gRPC Health Checking Protocol, "grpc.health.v1.Health/Watch". **Invariant:** a replica that has no health
//! service, or whose health cannot be asked, counts as healthy; its calls say how it is.

use std::future::pending;
use std::sync::Weak;

use h2::client::SendRequest;
use http::HeaderMap;
use prost::Message;
use tokio::sync::watch;

use super::connection::Connected;
use super::exchange::{Outgoing, open, request};
use super::pool::Pool;
use crate::codec::encode;
use crate::fault::Fault;

const PATH: &str = "/grpc.health.v1.Health/Watch";
const NOT_SERVING: i32 = 2;

/// `grpc.health.v1.HealthCheckRequest`; without a name, it is about the server as a whole.
#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(string, tag = "1")]
    service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, Message)]
struct Said {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// Tells the pool what the replica says of itself. Never ends by itself, but leaves the connection alone once
/// `several`, which says whether there are other replicas, is gone with the pool.
pub(crate) async fn watch(pool: &Weak<Pool>, at: Connected, mut several: watch::Receiver<bool>) {
    if several.wait_for(|several| *several).await.is_ok()
        && let Some(send) = pool.upgrade().and_then(|pool| pool.borrow(at))
    {
        tokio::select! {
            // A failed watch is not asked again on this connection: there is none, or the connection is ending.
            _failed = hear(pool, at, send) => {}
            _gone = several.wait_for(|several| !*several) => {}
        }
        if let Some(pool) = pool.upgrade() {
            pool.give_back(at);
            pool.set_serving(at.replica, true);
        }
    }
    pending().await
}

async fn hear(pool: &Weak<Pool>, at: Connected, send: SendRequest<bytes::Bytes>) -> Result<(), Fault> {
    let asked = encode(&Asked::default()).map_err(Fault::Answer)?;
    let authority = at.address.to_string().parse().map_err(|_| Fault::Broken(None))?;
    let head = request(authority, http::uri::PathAndQuery::from_static(PATH), HeaderMap::new());
    let (_, mut replies) = open::<Said>(send, head, Outgoing::Whole(asked)).await?;
    while let Some(said) = replies.next().await? {
        let Some(pool) = pool.upgrade() else { break };
        pool.set_serving(at.replica, said.status != NOT_SERVING);
    }
    Ok(())
}
