//! A folder that somebody works in: outside the workspace, with the command and cargo at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::root;

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Both outputs, the data first.
    pub(crate) printed: String,
}

/// A folder.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Runs a line of a shell.
    pub(crate) fn run(&self, line: &str) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&self.0).env("PATH", self.path());
        // Every version is one that the workspace has: nothing is downloaded, and most is compiled already.
        command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
        clean(&mut command);
        if line.starts_with("cargo ") && !self.0.join("Cargo.lock").exists() {
            fs::copy(root().join("Cargo.lock"), self.0.join("Cargo.lock")).unwrap();
        }
        let output = command.output().unwrap();
        let printed =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ended { code: output.status.code(), printed }
    }

    /// Runs a line that must succeed; what it printed.
    pub(crate) fn succeed(&self, line: &str) -> String {
        let ended = self.run(line);
        assert_eq!(ended.code, Some(0), "{line}\n{}", ended.printed);
        ended.printed
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.0.join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()))
    }

    /// Writes a file, and the folders that it is in.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Where a shell looks for programs: the command that was built for this test before any other.
    fn path(&self) -> std::ffi::OsString {
        let beside = |program: &str| Path::new(program).parent().unwrap().to_owned();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let first = [beside(env!("CARGO_BIN_EXE_freehold")), beside(env!("CARGO"))];
        std::env::join_paths(first.into_iter().chain(std::env::split_paths(&others))).unwrap()
    }
}

/// Takes the settings of whoever runs the tests out of what is started.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FREEHOLD_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
}

/// The target folder of the workspace.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// A program that `run` built.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}
