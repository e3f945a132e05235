//! The mesh that the tests share: one process of the built command, over a folder of its own.
//!
//! It starts with the first test that asks for it and ends with the last one that holds it. **Invariant:** it ends
//! in order, or its test fails: it still serves, it ends when told to, and `verify` finds what it kept in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};

use freehold_testkit::process::Signal;
use freehold_testkit::{PATIENCE, Process, Scratch};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::wire::Wire;
use crate::world;

/// A mesh of the built command.
pub(crate) struct Up {
    process: Process,
    directory: String,
    services: BTreeMap<String, String>,
}

impl Up {
    /// Starts a mesh over the folder `data` of `folder`, on free ports; returns when all of it serves.
    pub(crate) async fn start(folder: &Path) -> Self {
        let mut command = freehold(folder);
        command.arg("up");
        Self::of(folder, command).await
    }

    /// Starts some of its services, which find the others where the environment says.
    pub(crate) async fn part(folder: &Path, services: &str, elsewhere: &[(&str, &str)]) -> Self {
        let mut command = freehold(folder);
        command.envs(elsewhere.iter().copied()).args(["up", "--only", services]);
        Self::of(folder, command).await
    }

    async fn of(folder: &Path, mut command: Command) -> Self {
        let ready = folder.join(format!("ready-{:016x}.json", fastrand::u64(..)));
        command.args(["--port", "0", "--data", "data", "--ready-file"]).arg(&ready);
        let mut process = Process::start(&mut command);
        let said: Value =
            serde_json::from_str(&process.ready(&ready, PATIENCE).await).expect("the ready file is JSON");
        let url = |value: &Value| value.as_str().expect("an address is a text").to_owned();
        let services = said["services"].as_object().expect("the services are listed");
        let services = services.iter().map(|(name, address)| (name.clone(), url(address))).collect();
        Self { process, directory: url(&said["directory"]), services }
    }

    /// Where the directory answers.
    pub(crate) fn directory(&self) -> &str {
        &self.directory
    }

    /// Where a service answers.
    pub(crate) fn url(&self, service: &str) -> &str {
        &self.services[service]
    }

    /// Its services and where they answer.
    pub(crate) fn services(&self) -> BTreeMap<String, String> {
        self.services.clone()
    }

    /// A connection to each service, by its name.
    pub(crate) async fn wires(&self) -> BTreeMap<String, Wire> {
        let mut wires = BTreeMap::new();
        for (name, url) in &self.services {
            wires.insert(name.clone(), Wire::to(url).await);
        }
        wires
    }

    /// Ends it as Ctrl-C would, and waits until it is gone.
    pub(crate) async fn end(mut self) {
        self.process.signal(Signal::Interrupt);
        let status = self.process.ended(PATIENCE).await;
        assert!(status.success(), "{status}\n{}", self.process.report());
    }
}

/// The command in a folder, untouched by the settings of whoever runs the tests.
pub(crate) fn freehold(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.current_dir(folder);
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("FREEHOLD_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

/// The mesh of all tests.
pub(crate) struct Shared {
    /// Taken when it ends.
    up: Option<Up>,
    scratch: Arc<Scratch>,
}

impl Shared {
    /// The running mesh.
    pub(crate) fn up(&self) -> &Up {
        self.up.as_ref().expect("it runs until it is dropped")
    }

    /// The folder of its databases.
    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }
}

/// The mesh that the tests share, with a few things in it; see [`world`].
pub(crate) async fn shared() -> Arc<Shared> {
    static RUNNING: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());
    let mut running = RUNNING.lock().await;
    if let Some(shared) = running.upgrade() {
        return shared;
    }
    let scratch = Arc::new(Scratch::new("contract"));
    let up = Up::start(scratch.path()).await;
    world::furnish(&up).await;
    let shared = Arc::new(Shared { up: Some(up), scratch });
    *running = Arc::downgrade(&shared);
    shared
}

impl Drop for Shared {
    /// A test that fails has said enough; its mesh is killed.
    fn drop(&mut self) {
        let Some(up) = self.up.take().filter(|_| !std::thread::panicking()) else { return };
        let scratch = Arc::clone(&self.scratch);
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(end_well(up, &scratch));
        });
        if let Err(failure) = ended.join() {
            std::panic::resume_unwind(failure);
        }
    }
}

async fn end_well(up: Up, scratch: &Scratch) {
    run(scratch.path(), &["status", "--mesh", up.directory()]).await;
    run(scratch.path(), &["verify", "--data", "data"]).await;
    up.end().await;
    run(scratch.path(), &["verify", "--data", "data"]).await;
}

/// Runs a command that must succeed.
async fn run(folder: &Path, arguments: &[&str]) {
    let mut process = Process::start(freehold(folder).args(arguments));
    let status = process.ended(PATIENCE).await;
    assert!(status.success(), "{arguments:?}: {status}\n{}", process.report());
}
