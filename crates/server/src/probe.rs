//! Asking a service at its own address whether it serves: what `<service> health` does.
//!
//! It is for whoever watches containers: their images have no shell, and no client but the service itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How long a healthy service may take to say so.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a service counts as not serving.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    /// Nobody listens there.
    #[error("failed to reach {0}")]
    Unreached(SocketAddr, #[source] tonic::transport::Error),
    /// It refused the question.
    #[error("failed to ask {0}")]
    Refused(SocketAddr, #[source] Box<tonic::Status>),
    /// It says so.
    #[error("{0} answers, and does not serve")]
    NotServing(SocketAddr),
    /// It took too long.
    #[error("{0} did not answer within {PATIENCE:?}")]
    Silent(SocketAddr),
}

/// Asks whoever listens at `listen` whether all of it serves.
pub(crate) async fn probe(listen: SocketAddr) -> Result<(), ProbeError> {
    let address = reachable(listen);
    tokio::time::timeout(PATIENCE, ask(address)).await.unwrap_or(Err(ProbeError::Silent(address)))
}

async fn ask(address: SocketAddr) -> Result<(), ProbeError> {
    let unreached = |source| ProbeError::Unreached(address, source);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(unreached)?;
    let mut health = HealthClient::new(endpoint.connect().await.map_err(unreached)?);
    let answer = health.check(HealthCheckRequest::default()).await;
    let status =
        answer.map_err(|status| ProbeError::Refused(address, Box::new(status)))?.into_inner().status();
    if status == ServingStatus::Serving { Ok(()) } else { Err(ProbeError::NotServing(address)) }
}

/// A service that listens on every address is asked on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    (ip, listen.port()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_on_every_address_is_asked_here() {
        let reached = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:7405"), "127.0.0.1:7405");
        assert_eq!(reached("[::]:7405"), "[::1]:7405");
        assert_eq!(reached("10.0.0.7:7405"), "10.0.0.7:7405");
    }

    #[tokio::test]
    async fn where_nobody_listens_nobody_serves() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        assert!(matches!(probe(address).await, Err(ProbeError::Unreached(..))));
    }
}
