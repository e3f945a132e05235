//! `users` as a process of its own.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    freehold_server::host::main(users::NAME, |host, mesh| users::start(host, mesh)).await
}
