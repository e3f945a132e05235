//! `cargo xtask gen`: writes the generated code, or checks that what is committed is what would be written.

use crate::repository::{NotStarted, cargo, succeeds};

/// Runs the generator; with `check` it writes nothing and names every file that is stale.
pub(crate) fn run(check: bool) -> Result<bool, NotStarted> {
    let mut command = cargo("run");
    command.args(["--quiet", "--package", "freehold-codegen", "--"]);
    if check {
        command.arg("--check");
    }
    succeeds(&mut command)
}
