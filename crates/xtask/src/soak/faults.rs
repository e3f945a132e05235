//! `soak faults`: events under faults, with as many seeds as their bars speak of.
//!
//! The same tests run with every change with fewer; what each has to hold is written beside it.

use std::time::Duration;

use super::calls::{ROUNDS, Step};
use super::{Log, SoakError};

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
        test: "faults::",
        rounds: (ROUNDS, 500),
    },
];

/// Runs all of them; how long they take is up to their rounds.
pub(super) fn run(log: &mut Log, _: Duration) -> Result<(), SoakError> {
    for step in &STEPS {
        log.command(step.about, &mut step.command())?;
    }
    Ok(())
}
