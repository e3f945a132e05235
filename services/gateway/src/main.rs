//! `gateway` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(gateway::NAME, PORTS);
    freehold_server::host::main(gateway::NAME, PORTS, |host| gateway::start(host, mesh)).await
}
