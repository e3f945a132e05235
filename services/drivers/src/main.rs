//! `drivers` as a process of its own.

use std::process::ExitCode;

use freehold_sdk::PORTS;

#[tokio::main]
async fn main() -> ExitCode {
    freehold_server::host::main(drivers::NAME, PORTS, drivers::start).await
}
