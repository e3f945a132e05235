//! Programs of others that tests put our mesh to: `.ci/run tools` installs them, into target/tools where nothing else had
//! them.
//!
//! **Invariant:** in CI each is there, or the test fails; elsewhere what could not be run is said, loudly.

use std::path::{Path, PathBuf};

/// A program of PATH or of target/tools; none where nobody installed it. CI does.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = tools().join("bin");
    let found =
        std::env::split_paths(&path).chain([own]).map(|folder| folder.join(name)).find(|p| p.is_file());
    said(name, found)
}

/// The Python that has gRPC's own package, in an environment of its own.
pub(crate) fn python() -> Option<PathBuf> {
    let python = tools().join("clients/bin/python");
    said("Python with grpcio", python.is_file().then_some(python))
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")
}

fn said(name: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI runs this: `.ci/run tools` installs {name}");
        eprintln!("NOT RUN: there is no {name}; `.ci/run tools` installs it");
    }
    found
}
