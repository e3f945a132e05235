//! Steps of a run that are tests: those of every day, with more rounds.

use std::process::Command;

use super::{Log, SoakError};
use crate::engines::servers::Servers;
use crate::repository::cargo;

/// How often the tests of the test kit go round.
pub(super) const ROUNDS: &str = "FREEHOLD_TEST_ROUNDS";

/// One test with more rounds.
pub(super) struct Step {
    pub(super) about: &'static str,
    pub(super) package: &'static str,
    /// Which tests of the package: the arguments that choose a target, and the name.
    pub(super) target: &'static [&'static str],
    pub(super) test: &'static str,
    /// How often it goes round.
    pub(super) rounds: (&'static str, u32),
}

impl Step {
    /// The test as a command.
    pub(super) fn command(&self) -> Command {
        let (variable, rounds) = self.rounds;
        let mut command = cargo("test");
        command.args(["--package", self.package]).args(self.target).args(["--", self.test, "--nocapture"]);
        command.env(variable, rounds.to_string());
        command
    }

    /// Runs it on servers of its own; where there are none to be had, that is said.
    pub(super) fn run_on_servers(&self, log: &mut Log) -> Result<(), SoakError> {
        match Servers::start() {
            Ok(servers) => {
                let mut command = self.command();
                servers.tell(&mut command);
                log.command(self.about, &mut command)?;
            }
            Err(error) => log.not_run(self.about, &error.to_string()),
        }
        Ok(())
    }
}

/// Runs all of them; how long they take is up to their rounds.
pub(super) fn run_all(log: &mut Log, steps: &[Step]) -> Result<(), SoakError> {
    for step in steps {
        log.command(step.about, &mut step.command())?;
    }
    Ok(())
}
