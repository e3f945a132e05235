//! `catalog` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(catalog::NAME, PORTS);
    freehold_server::host::main(catalog::NAME, PORTS, |host| catalog::start(host, mesh)).await
}
