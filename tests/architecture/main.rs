//! The architecture, kept by tests: who may depend on whom, what the build may grow to, what a source file may say.
//!
//! Each rule is a function from what it looks at to what is wrong with it. It runs over this repository, and over a small
//! planted violation that it must find.

mod arrows;
mod containers;
mod dependencies;
mod pages;
mod sources;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{Metadata, MetadataCommand};

/// The workspace as cargo sees it, with every feature on.
static WORKSPACE: LazyLock<Metadata> = LazyLock::new(|| {
    let mut command = MetadataCommand::new();
    command.current_dir(root()).features(cargo_metadata::CargoOpt::AllFeatures);
    command.other_options(["--locked".to_owned()]).exec().expect("cargo metadata answers")
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo prints.
fn cargo(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// Fails with every violation on a line of its own.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n  {}\n", violations.join("\n  "));
}
