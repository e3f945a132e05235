//! `soak faults`: events under faults, with as many seeds as their bars speak of.
//!
//! The same tests run with every change with fewer; what each has to hold is written beside it.

use std::time::Duration;

use super::step::{ROUNDS, Step, run_all};
use super::{Log, SoakError, power};

const STEPS: [Step; 2] = [
    Step {
        about: "20,000 simulated seeds of a consumer: deaths at any line, loss, order, failing reactions, decisions",
        package: "freehold-events",
        target: &["--lib"],
        test: "in_any_weather",
        rounds: (ROUNDS, 20_000),
    },
    Step {
        about: "500 kills of services that run apart, with others frozen and cut off, while customers order",
        package: "freehold",
        target: &["--test", "journeys"],
        test: "faults::processes_that",
        rounds: (ROUNDS, 500),
    },
];

const ON_SERVERS: [Step; 2] = [
    Step {
        about: "200 kills on PostgreSQL and NATS, with instances overtaken and the broker killed and wiped",
        package: "freehold",
        target: &["--features", "nats", "--test", "journeys"],
        test: "faults::processes_on",
        rounds: (ROUNDS, 200),
    },
    Step {
        about: "each process and the broker killed ten times in demos, on every combination of engines",
        package: "freehold",
        target: &["--features", "nats", "--test", "journeys"],
        test: "survival::",
        rounds: (ROUNDS, 10),
    },
];

const FULL_DISKS: Step = Step {
    about: "disks of services full 40 times while customers order, with kills meanwhile",
    package: "freehold",
    target: &["--test", "journeys"],
    test: "faults::room::processes",
    rounds: (ROUNDS, 40),
};

const FULL_SERVER: Step = Step {
    about: "the disk of a PostgreSQL full ten times while customers order",
    test: "faults::room::a_mesh",
    rounds: (ROUNDS, 10),
    ..FULL_DISKS
};

/// Runs all of them.
pub(super) fn run(log: &mut Log, _: Duration) -> Result<(), SoakError> {
    run_all(log, &STEPS)?;
    power::on_a_disk(log, &FULL_DISKS)?;
    power::on_a_disk_of_postgres(log, &FULL_SERVER)?;
    ON_SERVERS.iter().try_for_each(|step| step.run_on_servers(log))
}
