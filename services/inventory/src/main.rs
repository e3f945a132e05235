//! `inventory` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(inventory::NAME, PORTS);
    freehold_server::host::main(inventory::NAME, PORTS, |host| inventory::start(host, mesh)).await
}
