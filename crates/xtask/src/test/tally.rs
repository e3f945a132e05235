//! Counts what cargo test prints.
//!
//! Takes its merged output line by line. A runner that starts and does not say a result (a crash, an abort) counts as one
//! failure, and the last result of a runner holds: a failed test may print another runner's output before it.

use std::fmt;

/// What one test program did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Runner {
    name: String,
    counts: Option<Counts>,
    failures: Vec<String>,
}

/// How many tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Passed.
    pub(crate) passed: u32,
    /// Failed.
    pub(crate) failed: u32,
    /// Left out.
    pub(crate) skipped: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

/// What all runners did.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runners: Vec<Runner>,
    lost: Vec<String>,
}

impl Tally {
    /// Takes one line of cargo's output.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(name) = runner(line) {
            self.runners.push(Runner { name, ..Runner::default() });
            return;
        }
        let Some(current) = self.runners.last_mut() else { return };
        if let Some(counts) = counts(line) {
            current.counts = Some(counts);
        } else if let Some(name) = failed_test(line) {
            current.failures.push(name);
        }
    }

    /// Cargo ended with an error: what failed without a word is counted, by the name of the stage if need be.
    pub(crate) fn ended_badly(&mut self, stage: &str) {
        if self.total().failed == 0 {
            self.lost.push(format!("{stage}: cargo ended with an error before all tests had run"));
        }
    }

    /// Something else failed.
    pub(crate) fn add_failure(&mut self, what: String) {
        self.lost.push(what);
    }

    /// The sum over all runners.
    pub(crate) fn total(&self) -> Counts {
        let lost = Counts { failed: u32::try_from(self.lost.len()).unwrap_or(u32::MAX), ..Counts::default() };
        self.runners.iter().fold(lost, |sum, runner| {
            let counts = runner.counted();
            Counts {
                passed: sum.passed + counts.passed,
                failed: sum.failed + counts.failed,
                skipped: sum.skipped + counts.skipped,
            }
        })
    }
}

impl Runner {
    fn counted(&self) -> Counts {
        self.counts.unwrap_or(Counts { failed: 1, ..Counts::default() })
    }
}

/// A table of the runners that had tests, then every failure by name. The total is the caller's to print.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>7} {:>7} {:>8}", "passed", "failed", "skipped")?;
        for runner in &self.runners {
            let Counts { passed, failed, skipped } = runner.counted();
            if passed + failed + skipped > 0 {
                writeln!(f, "{passed:>7} {failed:>7} {skipped:>8}  {}", runner.name)?;
            }
        }
        for runner in &self.runners {
            for test in &runner.failures {
                writeln!(f, "failed: {test}  ({})", runner.name)?;
            }
            if runner.counts.is_none() {
                writeln!(f, "failed: {} did not say a result", runner.name)?;
            }
        }
        self.lost.iter().try_for_each(|what| writeln!(f, "failed: {what}"))
    }
}

/// The runner that "     Running unittests src/lib.rs (target/debug/deps/users-0a1b)" or "   Doc-tests users" begins.
fn runner(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(krate) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{krate} doc tests"));
    }
    let (source, program) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once(" (")?;
    let file = program.rsplit('/').next()?;
    let krate = file.rsplit_once('-').map_or(file, |(krate, _hash)| krate);
    Some(format!("{krate} {source}"))
}

/// The counts of "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s".
fn counts(line: &str) -> Option<Counts> {
    let (_verdict, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |unit: &str| rest.split("; ").find_map(|part| part.strip_suffix(unit)?.trim().parse().ok());
    Some(Counts { passed: number("passed")?, failed: number("failed")?, skipped: number("ignored")? })
}

/// The name in "test names::are_kept ... FAILED".
fn failed_test(line: &str) -> Option<String> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.line(line));
        tally
    }

    const TWO_RUNNERS: &str = "\
   Compiling users v0.1.0
     Running unittests src/lib.rs (target/debug/deps/users-0a1b2c)

running 2 tests
test names::are_kept ... ok
test names::are_sorted ... FAILED
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests users

test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn the_last_line_sums_all_runners() {
        assert_eq!(tally(TWO_RUNNERS).total().to_string(), "4 passed, 1 failed, 2 skipped");
        assert_eq!(tally("").total().to_string(), "0 passed, 0 failed");
    }

    #[test]
    fn a_failed_test_is_named_with_its_runner() {
        let table = tally(TWO_RUNNERS).to_string();
        assert!(table.contains("failed: names::are_sorted  (users unittests src/lib.rs)"), "{table}");
        assert!(table.contains("      3       0        2  users doc tests"), "{table}");
    }

    #[test]
    fn a_runner_that_dies_without_a_result_is_a_failure() {
        let crashed = tally("     Running tests/crash.rs (target/debug/deps/crash-0a1b)\n\nrunning 1 test\n");
        assert_eq!(crashed.total().to_string(), "0 passed, 1 failed");
        assert!(crashed.to_string().contains("failed: crash tests/crash.rs did not say a result"));
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        let mut broken = tally("error: could not compile `users`\n");
        broken.ended_badly("workspace");
        assert_eq!(broken.total().to_string(), "0 passed, 1 failed");
    }

    #[test]
    fn the_output_of_a_failed_test_is_not_counted_as_a_runners_result() {
        let nested = "     Running tests/fixture.rs (target/debug/deps/fixture-0a1b)\n\
            test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        assert_eq!(tally(nested).total().to_string(), "0 passed, 1 failed");
    }
}
