//! `cargo xtask bench`: all benchmarks, or those that are named. docs/benchmarks.md says how to read them.

use crate::repository::{NotStarted, cargo, succeeds};

/// Runs the benchmarks `names`, all when there are none.
pub(crate) fn run(names: &[String]) -> Result<bool, NotStarted> {
    let mut command = cargo("bench");
    command.arg("--workspace");
    // The glob leaves out the test harness of the libraries, which has nothing to measure.
    let all = ["*".to_owned()];
    for name in if names.is_empty() { &all } else { names } {
        command.args(["--bench", name]);
    }
    succeeds(&mut command)
}
