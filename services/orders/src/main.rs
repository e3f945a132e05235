//! `orders` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(orders::NAME, PORTS);
    freehold_server::host::main(orders::NAME, PORTS, |host| orders::start(host, mesh)).await
}
