//! A git repository with the contracts of this project, and the command over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The findings, as `json` writes them.
    pub(crate) fn findings(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// It failed as a wrong command line does, said this, and printed nothing else.
    #[track_caller]
    pub(crate) fn refused(&self, why: &str) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        assert!(self.err.contains(why), "{why} in\n{self:#?}");
        assert_eq!((self.out.as_str(), self.err.lines().count()), ("", 1), "{self:#?}");
    }
}

/// A repository.
pub(crate) struct Repository {
    scratch: TempDir,
}

impl Repository {
    /// One with a folder `proto`, as this project has it, in one commit on the branch `main`; `change` is checked out.
    pub(crate) fn of_this_project() -> Self {
        let repository = Self::empty();
        copy(&root().join("proto"), &repository.path("proto"));
        repository.git(&["init", "-q", "-b", "main"]);
        repository.commit();
        repository.git(&["checkout", "-q", "-b", "change"]);
        repository
    }

    /// An empty folder, and no repository.
    pub(crate) fn empty() -> Self {
        Self { scratch: tempfile::Builder::new().prefix("freehold-gate-").tempdir().unwrap() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    /// Runs the command in its root.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.run_in("", &[], words)
    }

    /// Runs the command in a folder, with variables of its own.
    pub(crate) fn run_in(&self, folder: &str, variables: &[(&str, &str)], words: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.current_dir(self.path(folder)).args(words).envs(variables.iter().copied());
        // A repository around the folder of temporary files is none of ours.
        command.env("GIT_CEILING_DIRECTORIES", self.scratch.path().parent().unwrap());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Replaces a text that a file has exactly once.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
        self.write(file, text.replace(from, to));
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Commits all that there is.
    pub(crate) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a"]);
    }

    pub(crate) fn git(&self, words: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.scratch.path()).args(words);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@example.org")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The root of this project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}
