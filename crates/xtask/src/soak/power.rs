//! `soak power`: the power is cut under load, on a file system of its own.
//!
//! Mounting one is root's. Where this machine does not let us, that is said.

use std::process::Command;
use std::time::Duration;

use super::step::{ROUNDS, Step};
use super::{Log, SoakError};

/// Allows the test to mount.
const MAY: &str = "FREEHOLD_TEST_POWER";

const STEP: Step = Step {
    about: "20 power losses under load: nothing acknowledged is lost, and a control without fsync loses",
    package: "freehold",
    target: &["--test", "journeys"],
    test: "power::",
    rounds: (ROUNDS, 20),
};

/// Cuts the power, where this machine lets us.
pub(super) fn run(log: &mut Log, _: Duration) -> Result<(), SoakError> {
    if let Some(why) = hindrance() {
        log.not_run(STEP.about, why);
        return Ok(());
    }
    log.command(STEP.about, STEP.command().env(MAY, "1"))?;
    Ok(())
}

/// Why nothing can be mounted here.
fn hindrance() -> Option<&'static str> {
    let says = |command: &str| {
        let asked = Command::new("sh").args(["-c", command]).output();
        asked.is_ok_and(|answer| answer.status.success())
    };
    let needs = [
        ("test \"$(id -u)\" = 0", "mounting a file system is root's"),
        ("test -e /dev/loop-control", "there is no loop device"),
        ("command -v mkfs.ext4", "there is no mkfs.ext4"),
        ("command -v python3", "there is no Python, by which the file system is shut down"),
    ];
    needs.into_iter().find(|(command, _)| !says(command)).map(|(_, why)| why)
}
