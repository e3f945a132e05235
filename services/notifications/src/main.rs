//! `notifications` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::{Mesh, PORTS};
use notifications::Mails;

#[tokio::main]
async fn main() -> ExitCode {
    let mesh = Mesh::from_env(notifications::NAME, PORTS);
    let start = |host| notifications::start(host, mesh, Mails::from_env());
    freehold_server::host::main(notifications::NAME, PORTS, start).await
}
