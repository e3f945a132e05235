//! `cargo xtask bench`: all benchmarks, or those that are named. docs/benchmarks.md says how to read them.
//!
//! The one of events gets a PostgreSQL and a NATS of its own, where this machine has them or can install them; without
//! one it says what it leaves out.

use crate::engines::nats::{self, Nats};
use crate::engines::{self, Postgres};
use crate::repository::{NotStarted, cargo, succeeds};

/// The benchmark that measures engines.
const EVENTS: &str = "events";

/// Runs the benchmarks `names`, all when there are none.
pub(crate) fn run(names: &[String]) -> Result<bool, NotStarted> {
    let mut command = cargo("bench");
    command.args(["--workspace", "--features", "freehold-events/nats"]);
    // The glob leaves out the test harness of the libraries, which has nothing to measure.
    let all = ["*".to_owned()];
    for name in if names.is_empty() { &all } else { names } {
        command.args(["--bench", name]);
    }
    let with_engines = names.is_empty() || names.iter().any(|name| name == EVENTS);
    let postgres = with_engines.then(|| told(Postgres::start())).flatten();
    let nats = with_engines.then(|| told(Nats::start())).flatten();
    command.envs(postgres.as_ref().map(|server| (engines::URL, server.url())));
    command.envs(nats.as_ref().map(|server| (nats::URL, server.url())));
    succeeds(&mut command)
}

/// The engine, or why there is none.
fn told<T, E: std::error::Error>(started: Result<T, E>) -> Option<T> {
    started.map_err(|error| eprintln!("an engine is left out: failed to {error}")).ok()
}
