//! The command as a test uses it: run to its end, or as a mesh that goes on until it is ended or killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use freehold_sdk::Mesh;
use freehold_testkit::{PATIENCE, Process};
use serde_json::Value;

use crate::engines::Engines;

/// The command, in a working folder of its own and untouched by the settings of whoever runs the tests.
pub(crate) fn freehold(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.current_dir(folder).args(arguments);
    clean(&mut command);
    command
}

/// Takes this process's own settings out of what a program is started with.
pub(crate) fn clean(command: &mut Command) {
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("FREEHOLD_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The JSON documents on standard output, one a line.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// Asserts that it failed with `code` and one line, and returns that line.
    #[track_caller]
    pub(crate) fn refusal(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        self.stderr.trim_end()
    }
}

/// Runs a command to its end.
pub(crate) async fn run(folder: &Path, arguments: &[&str]) -> Ended {
    finish(Process::start(&mut freehold(folder, arguments))).await
}

/// Waits until a command has ended.
pub(crate) async fn finish(mut process: Process) -> Ended {
    let status = process.ended(PATIENCE).await;
    Ended { code: status.code(), stdout: process.stdout(), stderr: process.stderr() }
}

/// How often `verify` is asked anew about a mesh that has not come to rest. It waits half a minute each time.
const ASKED: usize = 6;

/// Asserts that `verify` finds everything right and finished in the folder `data` of `folder`.
pub(crate) async fn is_sound(folder: &Path) {
    let mut verify = run(folder, &["verify", "--data", "data"]).await;
    for _ in 1..ASKED {
        if verify.code != Some(0) || verify.stdout.ends_with(" 0 lagging\n") {
            break;
        }
        verify = run(folder, &["verify", "--data", "data"]).await;
    }
    let compared = verify.stdout.split(' ').next().and_then(|count| count.parse::<u32>().ok());
    assert!(compared.is_some_and(|count| count > 0), "{verify:#?}");
    assert!(verify.stdout.ends_with(" comparisons, 0 violated, 0 lagging\n"), "{verify:#?}");
    assert_eq!(verify.code, Some(0), "{verify:#?}");
}

/// A mesh of the built command.
pub(crate) struct Up {
    pub(crate) process: Process,
    /// Where its directory answers.
    pub(crate) directory: String,
    /// Where its services do, by name.
    pub(crate) services: BTreeMap<String, String>,
}

impl Up {
    /// Starts a mesh over the folder `data` of `folder`, on free ports; returns when all of it serves.
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::with(folder, &["--port", "0", "--data", "data"]).await
    }

    /// The same on fixed ports.
    pub(crate) async fn at(folder: &Path, port: u16) -> Self {
        Self::with(folder, &["--port", &port.to_string(), "--data", "data"]).await
    }

    /// The same on engines that were made for that folder.
    pub(crate) async fn on(folder: &Path, port: u16, engines: &Engines) -> Self {
        let mut command = freehold(folder, &["up", "--port", &port.to_string(), "--data", "data"]);
        command.envs(engines.bus());
        Self::of(folder, command).await
    }

    /// Starts a mesh with these arguments.
    pub(crate) async fn with(folder: &Path, arguments: &[&str]) -> Self {
        Self::of(folder, freehold(folder, &[&["up"], arguments].concat())).await
    }

    /// Starts a mesh by a command that lacks its ready file alone.
    pub(crate) async fn of(folder: &Path, mut command: Command) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let ready = folder.join(format!("ready-{}.json", STARTED.fetch_add(1, Ordering::Relaxed)));
        let mut process = Process::start(command.arg("--ready-file").arg(&ready));
        let said = process.ready(&ready, PATIENCE).await;
        let said: Value = serde_json::from_str(&said).expect("the ready file is JSON");
        let url = |value: &Value| value.as_str().expect("an address is a text").to_owned();
        let services = said["services"].as_object().expect("the services are listed");
        let services = services.iter().map(|(name, address)| (name.clone(), url(address))).collect();
        Self { process, directory: url(&said["directory"]), services }
    }

    /// The mesh as the demo sees it.
    pub(crate) fn mesh(&self) -> Mesh {
        Mesh::fixed("demo", self.services.clone())
    }
}
