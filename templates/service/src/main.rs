//! `widgets` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(widgets::NAME, PORTS);
    freehold_server::host::main(widgets::NAME, PORTS, |host| widgets::start(host, mesh)).await
}
