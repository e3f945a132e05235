//! `soak power`: the power is cut under load, on a file system of its own.
//!
//! Mounting one is root's. Where this machine does not let us, that is said.

use std::process::Command;
use std::time::Duration;

use super::step::{ROUNDS, Step};
use super::{Log, SoakError};
use crate::engines::find::find_or_install;

/// Allows tests to mount file systems.
const MAY: &str = "FREEHOLD_TEST_MOUNT";
/// Tells tests where the programs of a PostgreSQL are.
const PROGRAMS: &str = "FREEHOLD_TEST_POSTGRES_PROGRAMS";

const ON_SQLITE: Step = Step {
    about: "20 power losses under load: nothing acknowledged is lost, and a control without fsync loses",
    package: "freehold",
    target: &["--test", "journeys"],
    test: "power::what_sqlite",
    rounds: (ROUNDS, 20),
};

const ON_POSTGRES: Step = Step {
    about: "20 power losses of a PostgreSQL under load, and a control with fsync=off",
    test: "power::what_postgresql",
    ..ON_SQLITE
};

/// Cuts the power, where this machine lets us.
pub(super) fn run(log: &mut Log, _: Duration) -> Result<(), SoakError> {
    on_a_disk(log, &ON_SQLITE)?;
    on_a_disk_of_postgres(log, &ON_POSTGRES)
}

/// Runs a step that mounts file systems.
pub(super) fn on_a_disk(log: &mut Log, step: &Step) -> Result<(), SoakError> {
    match hindrance() {
        Some(why) => log.not_run(step.about, why),
        None => log.command(step.about, step.command().env(MAY, "1")).map(drop)?,
    }
    Ok(())
}

/// The same of one that runs a PostgreSQL on them.
pub(super) fn on_a_disk_of_postgres(log: &mut Log, step: &Step) -> Result<(), SoakError> {
    if let Some(why) = hindrance() {
        log.not_run(step.about, why);
        return Ok(());
    }
    match find_or_install() {
        Err(error) => log.not_run(step.about, &error.to_string()),
        Ok(programs) => {
            let mut command = step.command();
            command.env(MAY, "1").env(PROGRAMS, programs.folder());
            log.command(step.about, &mut command)?;
        }
    }
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
