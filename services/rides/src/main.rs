//! `rides` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(rides::NAME, PORTS);
    freehold_server::host::main(rides::NAME, PORTS, |host| rides::start(host, mesh)).await
}
