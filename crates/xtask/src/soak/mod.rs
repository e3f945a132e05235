//! `cargo xtask soak`: named runs that take too long for every change, one after the other.
//!
//! A run is steps; each passes, fails, or could not be run, and the last lines say which, how long it took and why not.
//! A new run is one more row of [`RUNS`] and a file beside this one.
//! **Invariant:** what could not be run is said, and never counts as passed.

mod calls;
mod faults;
mod fuzz;
mod peers;
mod power;
mod step;

use std::fmt;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::arguments::SoakOptions;
use crate::repository::{NotStarted, succeeds};

/// A named run.
struct Run {
    name: &'static str,
    /// What it does, in one line.
    about: &'static str,
    /// How long a step takes unless `--seconds` says it.
    time: Duration,
    run: fn(&mut Log, Duration) -> Result<(), SoakError>,
}

/// All runs, in their order.
const RUNS: &[Run] = &[
    Run {
        name: "cache",
        about: "a million changes that race the calls which fill what clients keep",
        time: Duration::from_secs(600),
        run: peers::cache,
    },
    Run {
        name: "calls",
        about: "calls under faults, with as many rounds as their bars speak of",
        time: Duration::from_secs(180),
        run: calls::run,
    },
    Run {
        name: "faults",
        about: "events under faults, with as many seeds and kills as their bars speak of",
        time: Duration::from_secs(900),
        run: faults::run,
    },
    Run {
        name: "fuzz",
        about: "readers of contracts and headers, and the comparison, by a fuzzer that follows what code it reaches",
        time: Duration::from_secs(600),
        run: fuzz::run,
    },
    Run {
        name: "power",
        about: "power losses under load, on a file system that is shut down",
        time: Duration::from_secs(300),
        run: power::run,
    },
    Run {
        name: "sidecars",
        about: "the CPU of a call by our stack and through nginx, HAProxy and Envoy",
        time: Duration::from_secs(60),
        run: peers::sidecars,
    },
];

/// A run could not be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SoakError {
    /// There is no run of that name.
    #[error("find the run `{0}`; `cargo xtask soak list` names them")]
    Unknown(String),
    /// A program did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// A folder or a file cannot be used.
    #[error("use {0}")]
    Io(String, #[source] io::Error),
}

/// Runs those that are named, all when there are none; whether something ran and nothing failed.
pub(crate) fn run(options: &SoakOptions) -> Result<bool, SoakError> {
    if options.names == ["list"] {
        for run in RUNS {
            println!("{:<12} {}, {} s a step", run.name, run.about, run.time.as_secs());
        }
        return Ok(true);
    }
    for name in &options.names {
        if RUNS.iter().all(|run| run.name != name) {
            return Err(SoakError::Unknown(name.clone()));
        }
    }
    let is_wanted =
        |run: &&Run| options.names.is_empty() || options.names.iter().any(|name| name == run.name);
    let mut log = Log::default();
    for run in RUNS.iter().filter(is_wanted) {
        println!("== {}: {}", run.name, run.about);
        (run.run)(&mut log, options.time.unwrap_or(run.time))?;
    }
    println!("\n{log}");
    Ok(log.is_good())
}

/// What the steps came to.
#[derive(Debug, Default)]
pub(crate) struct Log {
    steps: Vec<Step>,
}

/// A step that was run, or could not be.
#[derive(Debug)]
struct Step {
    what: String,
    took: Duration,
    end: End,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// Why not.
    NotRun(String),
}

impl Log {
    /// Runs a step that is a command; `what` says what it does.
    pub(crate) fn command(&mut self, what: &str, command: &mut Command) -> Result<bool, NotStarted> {
        println!("-- {what}");
        let begin = Instant::now();
        let passed = succeeds(command)?;
        let end = if passed { End::Passed } else { End::Failed };
        self.steps.push(Step { what: what.to_owned(), took: begin.elapsed(), end });
        Ok(passed)
    }

    /// Says that a step could not be run, and why.
    pub(crate) fn not_run(&mut self, what: &str, why: &str) {
        println!("-- {what}: not run, {why}");
        let end = End::NotRun(why.to_owned());
        self.steps.push(Step { what: what.to_owned(), took: Duration::ZERO, end });
    }

    /// Adds to what the last step says of itself: a number that it came to.
    pub(crate) fn add(&mut self, more: &str) {
        if let Some(step) = self.steps.last_mut() {
            step.what.push_str(more);
        }
    }

    /// Whether something ran and nothing failed.
    fn is_good(&self) -> bool {
        let is = |wanted: End| self.steps.iter().any(|step| step.end == wanted);
        is(End::Passed) && !is(End::Failed)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { what, took, end } in &self.steps {
            match end {
                End::Passed => writeln!(f, "passed   {:>6} s  {what}", took.as_secs())?,
                End::Failed => writeln!(f, "FAILED   {:>6} s  {what}", took.as_secs())?,
                End::NotRun(why) => writeln!(f, "not run            {what}: {why}")?,
            }
        }
        let count = |is: fn(&End) -> bool| self.steps.iter().filter(|step| is(&step.end)).count();
        let passed = count(|end| *end == End::Passed);
        let failed = count(|end| *end == End::Failed);
        write!(f, "{passed} passed, {failed} failed, {} not run", self.steps.len() - passed - failed)
    }
}

/// Makes a folder, and those around it.
fn make_folder(path: &Path) -> Result<(), SoakError> {
    std::fs::create_dir_all(path).map_err(|error| SoakError::Io(path.display().to_string(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(end: End) -> Step {
        Step { what: "a step".to_owned(), took: Duration::from_secs(61), end }
    }

    #[test]
    fn the_last_lines_say_what_ran_how_long_and_what_did_not() {
        let mut log = Log { steps: vec![step(End::Passed)] };
        log.add(", 7 inputs");
        log.not_run("another", "there is no C++ compiler");
        assert_eq!(
            log.to_string(),
            "passed       61 s  a step, 7 inputs\nnot run            another: there is no C++ compiler\n\
             1 passed, 0 failed, 1 not run"
        );
        assert!(log.is_good());
    }

    #[test]
    fn what_failed_or_never_ran_is_not_good() {
        assert!(!Log { steps: vec![step(End::Passed), step(End::Failed)] }.is_good());
        assert!(!Log { steps: vec![step(End::NotRun("why".to_owned()))] }.is_good());
    }

    #[test]
    fn a_name_that_is_no_run_is_refused_before_anything_runs() {
        let options = SoakOptions { names: vec!["fuzz".into(), "fizz".into()], time: None };
        let refused = run(&options).unwrap_err().to_string();
        assert_eq!(refused, "find the run `fizz`; `cargo xtask soak list` names them");
    }
}
