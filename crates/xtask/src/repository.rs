//! Where the repository is, and cargo run in it.
//!
//! Every chore works from the root, wherever it was called, and through the cargo that started it. Cargo never changes
//! Cargo.lock here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the variables begin that cargo sets for a program of a package.
const OURS: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// A program did not start.
#[derive(Debug, thiserror::Error)]
#[error("start {program}")]
pub(crate) struct NotStarted {
    program: String,
    source: std::io::Error,
}

impl NotStarted {
    /// `command` did not start because of `source`.
    pub(crate) fn new(command: &Command, source: std::io::Error) -> Self {
        Self { program: command.get_program().to_string_lossy().into_owned(), source }
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Cargo with `subcommand`, in the root. What the cargo that started us says of our own package, build scripts of others
/// would take for news.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| OURS.iter().any(|ours| name.to_string_lossy().starts_with(ours))) {
        command.env_remove(name);
    }
    command.current_dir(root()).arg(subcommand).arg("--locked");
    command
}

/// Runs `command` to its end; whether it succeeded.
///
/// # Errors
/// It did not start.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, NotStarted> {
    match command.status() {
        Ok(status) => Ok(status.success()),
        Err(source) => Err(NotStarted::new(command, source)),
    }
}
