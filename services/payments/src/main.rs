//! `payments` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(payments::NAME, PORTS);
    freehold_server::host::main(payments::NAME, PORTS, |host| payments::start(host, mesh)).await
}
