//! Their client, our server: `client.py` goes through the cases.

use std::process::Command;

use freehold_server::Server;
use freehold_testkit::{PATIENCE, Process};
use tokio_util::sync::CancellationToken;

use crate::HERE;
use crate::contract::CONTRACT;
use crate::service::Testing;
use crate::tools::python;

/// Every case that gRPC's own package can play.
const CASES: [&str; 16] = [
    "empty_unary",
    "large_unary",
    "client_compressed_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "concurrent_large_unary",
];

/// Planted bugs: a server that answers without the trailing metadata, and one that does not take gzip.
#[tokio::test]
async fn their_client_passes_every_case_against_our_server() {
    let Some(python) = python() else { return };
    let server = Server::new("testing", &CONTRACT).serve(Testing).bind().await.unwrap();
    let (address, shutdown) = (server.addr().to_string(), CancellationToken::new());
    let served = tokio::spawn(server.run(shutdown.clone()));
    let mut command = Command::new(python);
    let mut client = Process::start(command.arg(format!("{HERE}/client.py")).arg(address).args(CASES));
    let ended = client.ended(PATIENCE).await;
    assert!(ended.success(), "{}", client.report());
    for case in CASES {
        assert!(client.stdout().lines().any(|line| line == format!("{case}: passed")), "{}", client.report());
    }
    shutdown.cancel();
    served.await.unwrap().unwrap();
}
