//! The mesh that the commands of a page talk to.
//!
//! Started by the page's own `cargo run`, with data in a folder of this run. It listens on the default ports, and where
//! one of them is taken on others; the page's addresses are then read as those.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use super::expected;
use crate::held::{Held, NotReady, remove};
use crate::repository::{NotStarted, root};

/// The first of the mesh's ports.
const FIRST: u16 = 7400;
/// The folder of its databases, where none is named.
const DATA: &str = "freehold-data";
/// How many it has, from the first on.
const COUNT: u16 = 10;
/// Where to look for as many free ones.
const ELSEWHERE: [u16; 5] = [7400, 17_400, 27_400, 37_400, 47_400];
/// How long it may take, the build included.
const START: Duration = Duration::from_secs(1800);
/// How long its banner may take once it serves.
const BANNER: Duration = Duration::from_secs(30);

/// Where a mesh runs, or will.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    first_port: u16,
}

/// No mesh could be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeshError {
    /// All ports are taken.
    #[error("find {COUNT} free ports in a row")]
    NoPorts,
    /// Its folder cannot be made.
    #[error("make a folder for the mesh")]
    Folder(#[from] io::Error),
    /// The shell did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// It ended, or did not serve in time.
    #[error("start the mesh: {reason}; it printed:\n{output}")]
    NotReady { reason: &'static str, output: String },
}

impl Place {
    /// Free ports, and a new folder for what a page's commands leave behind.
    pub(crate) fn find() -> Result<Self, MeshError> {
        let free =
            |first: &u16| (*first..*first + COUNT).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
        let first_port = ELSEWHERE.into_iter().find(free).ok_or(MeshError::NoPorts)?;
        let folder = std::env::temp_dir().join(format!("freehold-readme-{}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self::at(folder, first_port))
    }

    /// A folder and ports that were found otherwise.
    pub(crate) fn at(folder: PathBuf, first_port: u16) -> Self {
        Self { folder, first_port }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A shell for the page's commands, in the root of the repository and with the tools of the checks.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let tools = std::iter::once(root().join("target/tools/bin"));
        let mut shell = Command::new("bash");
        shell.current_dir(root()).args(["-c", script]);
        shell.env("TERM", "dumb").env("COLUMNS", "120").env("CARGO_TERM_QUIET", "true");
        if let Ok(path) = std::env::join_paths(tools.chain(std::env::split_paths(&path))) {
            shell.env("PATH", path);
        }
        shell
    }

    /// The folder of the databases.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The file that says that the mesh serves.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.join("mesh/ready.json")
    }

    /// The port of the directory.
    pub(crate) fn first_port(&self) -> u16 {
        self.first_port
    }

    /// `text` with the page's ports and its data folder replaced by the mesh's.
    pub(crate) fn here(&self, text: &str) -> String {
        let text = text.replace(DATA, &self.data().to_string_lossy());
        if self.first_port == FIRST {
            return text;
        }
        let mut parts = text.split(':');
        let mut moved = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = part.split_at(digits);
            moved.push(':');
            match port.parse::<u16>() {
                Ok(port) if (FIRST..FIRST + COUNT).contains(&port) => {
                    moved.push_str(&(self.first_port + port - FIRST).to_string());
                }
                _ => moved.push_str(port),
            }
            moved.push_str(rest);
        }
        moved
    }

    /// Starts the mesh by `command`, which writes the ready file, and waits until it serves.
    pub(crate) fn start(&self, command: &str) -> Result<Mesh, MeshError> {
        let own = self.folder.join("mesh");
        fs::create_dir(&own)?;
        let output = own.join("output");
        let mut held = Held::start(&self.shell(&format!("exec {command}")), &own, &output, None)?;
        held.wait_until(START, || self.ready_file().exists()).map_err(|not_ready| MeshError::NotReady {
            reason: if not_ready == NotReady::Ended { "it ended" } else { "it does not serve in time" },
            output: fs::read_to_string(&output).unwrap_or_default(),
        })?;
        Ok(Mesh { held, output })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// A mesh that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Mesh {
    held: Held,
    output: PathBuf,
}

impl Mesh {
    /// What it has printed, as soon as that is what `shown` shows; as it stands when that takes too long.
    pub(crate) fn banner(&mut self, shown: &[String]) -> Vec<String> {
        let output = self.output.clone();
        let printed = || -> Vec<String> {
            fs::read_to_string(&output).unwrap_or_default().lines().map(str::to_owned).collect()
        };
        // What comes too late is reported as a difference.
        drop(self.held.wait_until(BANNER, || expected::matches(shown, &printed())));
        printed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(first_port: u16) -> Place {
        Place::at(std::env::temp_dir().join(format!("freehold-place-{first_port}")), first_port)
    }

    #[test]
    fn the_ports_of_the_page_become_those_of_the_mesh() {
        let text = "orders http://127.0.0.1:7405/x, gateway localhost:7400, other :7410 :74001 a:b";
        let moved = "orders http://127.0.0.1:17405/x, gateway localhost:17400, other :7410 :74001 a:b";
        assert_eq!(place(17_400).here(text), moved);
    }

    #[test]
    fn on_the_default_ports_nothing_is_replaced() {
        assert_eq!(place(FIRST).here("localhost:7401"), "localhost:7401");
    }

    #[test]
    fn the_data_folder_of_the_page_becomes_that_of_the_mesh() {
        let place = place(7_410);
        let moved = format!("data  {}/data", place.folder().display());
        assert_eq!(place.here("data  freehold-data"), moved);
    }
}
