//! `cargo xtask test`: every test of the repository, and one line that says how it went.
//!
//! The stages below run in their order, all of them even when one fails. Their output passes through as it comes and is
//! counted; the last line is the sum.

mod tally;

use std::io::{self, BufRead, BufReader, Write};
use std::process::Command;

use crate::arguments::TestOptions;
use crate::engines;
use crate::engines::servers::{Servers, ServersError};
use crate::repository::{NotStarted, cargo};
use tally::Tally;

/// How often tests that repeat go round: set by `--rounds`, read by the test kit.
const ROUNDS: &str = "FREEHOLD_TEST_ROUNDS";

/// What there is to test where there are servers: the buses. It is the same for all stages, and all of them test the whole
/// workspace, because cargo compiles everything anew for another choice of features or members: minutes, and gigabytes.
const FEATURES: [&str; 2] = ["--features", "nats"];

/// One run of cargo test.
struct Stage {
    /// What it is called when it fails.
    name: &'static str,
    /// What is given to cargo test.
    arguments: &'static [&'static str],
    /// It has nothing to run on without them.
    needs_engines: bool,
    /// The one engine that its suites run on, where that is not SQLite.
    engine: Option<&'static str>,
}

/// What `cargo xtask test` runs.
const STAGES: [Stage; 2] = [
    // Unit, integration and doc tests of all members; the fixtures outside the workspace are run by tests of it.
    Stage { name: "workspace", arguments: &["--workspace"], needs_engines: false, engine: None },
    // The suites whose owners and consumers are on one engine at a time, on the other one.
    Stage {
        name: "one engine at a time: PostgreSQL",
        arguments: &["--workspace", "--lib"],
        needs_engines: true,
        engine: Some("postgres"),
    },
];

/// Fails a run in which a server had nothing to do.
fn were_used(servers: &Servers, tally: &mut Tally) {
    if servers.postgres.databases_made() == 0 {
        tally.add_failure("PostgreSQL ran, and no test made a database or schema in it".to_owned());
    }
    if servers.nats.streams_made() == 0 {
        tally.add_failure("NATS ran, and no test made a stream in it".to_owned());
    }
}

/// The tests could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    /// There are no servers for them.
    #[error(transparent)]
    Servers(#[from] ServersError),
    /// Cargo did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// Cargo's output cannot be read or passed on.
    #[error("pass on what cargo test prints")]
    Output(#[from] io::Error),
}

/// Runs all tests; whether all passed.
pub(crate) fn run(options: &TestOptions) -> Result<bool, TestError> {
    let servers = options.engines.then(Servers::start).transpose()?;
    match &servers {
        Some(Servers { postgres, nats }) => {
            println!("engines: SQLite, PostgreSQL {} and NATS {}", postgres.version(), nats.version());
        }
        None => println!("engines: SQLite; `--engines` adds a real PostgreSQL and a real NATS"),
    }
    let mut tally = Tally::default();
    if options.selection.is_empty() {
        for stage in STAGES.iter().filter(|stage| servers.is_some() || !stage.needs_engines) {
            let mut command = test(options, servers.as_ref());
            command.args(stage.arguments).args(servers.iter().flat_map(|_| FEATURES));
            command.envs(stage.engine.map(|engine| (engines::ENGINE, engine)));
            run_stage(stage.name, command, &mut tally)?;
        }
        if let Some(servers) = &servers {
            were_used(servers, &mut tally);
        }
    } else {
        let mut command = test(options, servers.as_ref());
        command.args(&options.selection);
        run_stage("selection", command, &mut tally)?;
    }
    Ok(summarise(&tally, servers.as_ref()))
}

/// Cargo for tests, which are told what there is for them.
fn test(options: &TestOptions, servers: Option<&Servers>) -> Command {
    let mut command = cargo("test");
    command.args(["--no-fail-fast", "--color", "never"]);
    if let Some(servers) = servers {
        servers.tell(&mut command);
    }
    command.envs(options.rounds.map(|rounds| (ROUNDS, rounds.to_string())));
    command
}

fn run_stage(name: &str, mut command: Command, tally: &mut Tally) -> Result<(), TestError> {
    // One pipe for both streams keeps cargo's "Running" lines before the results they belong to.
    let (output, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut cargo = command.spawn().map_err(|source| NotStarted::new(&command, source))?;
    // The command holds the writing end; the output ends when cargo alone does.
    drop(command);
    let mut terminal = io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(terminal, "{line}")?;
        tally.line(&line);
    }
    if !cargo.wait()?.success() {
        tally.ended_badly(name);
    }
    Ok(())
}

/// Prints the table and the sum; whether all passed.
fn summarise(tally: &Tally, servers: Option<&Servers>) -> bool {
    println!("\n{tally}");
    if let Some(Servers { postgres, .. }) = servers {
        println!(
            "PostgreSQL {}: {} databases and schemas made by tests",
            postgres.version(),
            postgres.databases_made()
        );
    }
    let total = tally.total();
    println!("{total}");
    total.failed == 0
}
