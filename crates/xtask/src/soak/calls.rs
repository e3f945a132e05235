//! `soak calls`: the tests of calls under faults, with as many rounds as their bars speak of.
//!
//! The same tests run every day with a few rounds; `FREEHOLD_TEST_ROUNDS` and `PROPTEST_CASES` make them many. What each
//! has to hold is written beside it.

use std::time::Duration;

use super::step::{ROUNDS, Step, run_all};
use super::{Log, SoakError};

const STEPS: [Step; 4] = [
    Step {
        about: "20,000 courses of failures in simulated time: deadlines, budget, ejections",
        package: "freehold-client",
        target: &["--lib"],
        test: "policy::simulation",
        rounds: ("PROPTEST_CASES", 20_000),
    },
    Step {
        about: "200 seeds of bad weather before three replicas",
        package: "freehold-client",
        target: &["--test", "channel"],
        test: "in_any_weather",
        rounds: (ROUNDS, 200),
    },
    Step {
        about: "100 rolling restarts and connections of a tenth of a second under load: no failed call",
        package: "freehold-server",
        target: &["--test", "kit"],
        test: "restarts_and_aged_connections",
        rounds: (ROUNDS, 100),
    },
    Step {
        about: "10,000 keyed writes, 30 % of replies lost, 20 kills: each takes effect once",
        package: "freehold",
        target: &["--test", "journeys"],
        test: "once::",
        rounds: (ROUNDS, 20),
    },
];

/// Runs all of them.
pub(super) fn run(log: &mut Log, _: Duration) -> Result<(), SoakError> {
    run_all(log, &STEPS)
}
