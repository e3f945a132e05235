//! Why a server does not start, in one clear line each.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use freehold_server::{Error, Server};
use freehold_wire::Contract;

use crate::echo::{CONTRACT, Echo};

async fn refused(server: Server) -> Error {
    server.bind().await.expect_err("a server that should not start")
}

#[tokio::test]
async fn a_busy_port_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = refused(Server::new("first", &CONTRACT).serve(Echo::new()).listen(address)).await;
    assert!(matches!(error, Error::Busy { address: said } if said == address));
    assert_eq!(error.to_string(), format!("failed to listen on {address}: another process has this port"));
}

#[tokio::test]
async fn beyond_loopback_it_wants_to_be_told_that_callers_may_be_believed() {
    let everywhere: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
    let server = || Server::new("first", &CONTRACT).serve(Echo::new()).listen(everywhere);
    let error = refused(server()).await;
    assert!(error.to_string().contains("--trust-metadata"), "{error}");
    assert!(server().trust_metadata(true).bind().await.is_ok());
    let open = TcpListener::bind(everywhere).unwrap();
    let error = refused(Server::new("first", &CONTRACT).listen(open)).await;
    assert!(
        matches!(error, Error::Untrusted { .. }),
        "a socket that was opened elsewhere is held to the same"
    );
}

#[tokio::test]
async fn a_service_of_another_owner_or_twice_is_refused() {
    let error = refused(Server::new("fourth", &CONTRACT).serve(Echo::new())).await;
    assert_eq!(
        error.to_string(),
        "failed to serve echo.v1.EchoService: the contract does not give it to `fourth`"
    );
    let error = refused(Server::new("first", &CONTRACT).serve(Echo::new()).serve(Echo::new())).await;
    assert_eq!(error.to_string(), "failed to serve echo.v1.EchoService: it is served twice");
}

#[tokio::test]
async fn damaged_descriptors_are_refused() {
    static DAMAGED: Contract = Contract { owners: &[], consumers: &[], descriptors: &[0x0a, 0xff] };
    let error = refused(Server::new("first", &DAMAGED)).await;
    assert_eq!(error.to_string(), "failed to serve the contract's descriptors");
}
