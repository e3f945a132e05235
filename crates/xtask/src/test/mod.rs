//! `cargo xtask test`: every test of the repository, and one line that says how it went.
//!
//! The stages below run in their order, all of them even when one fails. Their output passes through as it comes and is
//! counted; the last line is the sum.

mod tally;

use std::io::{self, BufRead, BufReader, Write};

use crate::arguments::TestOptions;
use crate::engines::nats::{self, Nats, NatsError};
use crate::engines::{self, EngineError, Postgres};
use crate::repository::{NotStarted, cargo};
use tally::Tally;

/// How often tests that repeat go round: set by `--rounds`, read by the test kit.
const ROUNDS: &str = "FREEHOLD_TEST_ROUNDS";

/// One run of cargo test.
struct Stage {
    /// What it is called when it fails.
    name: &'static str,
    /// What is given to cargo test.
    arguments: &'static [&'static str],
    /// Its suites run on PostgreSQL, where there is one.
    on_postgres: bool,
}

/// What `cargo xtask test` runs.
const STAGES: [Stage; 2] = [
    // Unit, integration and doc tests of all members; the fixtures outside the workspace are run by tests of it.
    Stage { name: "workspace", arguments: &["--workspace"], on_postgres: false },
    // The suites whose owners and consumers are on one engine at a time, on the other one.
    Stage {
        name: "feeds and copies on PostgreSQL",
        arguments: &["--package", "freehold-events", "--package", "freehold-replica", "--lib"],
        on_postgres: true,
    },
];

/// What runs once more with the bus NATS JetStream, where there is a server.
const ON_NATS: [Stage; 2] = [
    Stage {
        name: "the bus NATS JetStream",
        arguments: &["--package", "freehold-events", "--features", "nats", "--lib", "bus::"],
        on_postgres: false,
    },
    Stage {
        name: "a mesh on NATS JetStream",
        arguments: &["--package", "freehold", "--features", "nats", "--test", "journeys", "nats::"],
        on_postgres: false,
    },
];

/// The arguments of a stage, which find the server.
fn on_nats(stage: &Stage, nats: &Nats) -> Vec<String> {
    let program = nats.program().display().to_string();
    let variables = [(nats::URL, nats.url()), (nats::PROGRAM, program.as_str())];
    let settings = variables
        .into_iter()
        .flat_map(|(name, value)| ["--config".to_owned(), format!("env.{name} = {value:?}")]);
    settings.chain(stage.arguments.iter().map(ToString::to_string)).collect()
}

/// The tests could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    /// There is no PostgreSQL for them.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no NATS for them.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// Cargo did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// Cargo's output cannot be read or passed on.
    #[error("pass on what cargo test prints")]
    Output(#[from] io::Error),
}

/// Runs all tests; whether all passed.
pub(crate) fn run(options: &TestOptions) -> Result<bool, TestError> {
    let postgres = options.engines.then(Postgres::start).transpose()?;
    let nats = options.engines.then(Nats::start).transpose()?;
    match postgres.as_ref().zip(nats.as_ref()) {
        Some((postgres, nats)) => {
            println!("engines: SQLite, PostgreSQL {} and NATS {}", postgres.version(), nats.version());
        }
        None => println!("engines: SQLite; `--engines` adds a real PostgreSQL and a real NATS"),
    }
    let mut tally = Tally::default();
    if options.selection.is_empty() {
        for stage in STAGES.iter().filter(|stage| postgres.is_some() || !stage.on_postgres) {
            let arguments: Vec<String> = stage.arguments.iter().map(ToString::to_string).collect();
            let engine = stage.on_postgres.then_some("postgres");
            run_stage(
                stage.name,
                &arguments,
                options,
                postgres.as_ref().map(|server| (server, engine)),
                &mut tally,
            )?;
        }
        if let Some(nats) = &nats {
            for stage in &ON_NATS {
                let arguments = on_nats(stage, nats);
                let server = postgres.as_ref().map(|server| (server, None));
                run_stage(stage.name, &arguments, options, server, &mut tally)?;
            }
            if nats.streams_made() == 0 {
                tally.add_failure("NATS ran, and no test made a stream in it".to_owned());
            }
        }
        if postgres.as_ref().is_some_and(|postgres| postgres.databases_made() == 0) {
            tally.add_failure("PostgreSQL ran, and no test made a database or schema in it".to_owned());
        }
    } else {
        let server = postgres.as_ref().map(|server| (server, None));
        run_stage("selection", &options.selection, options, server, &mut tally)?;
    }
    Ok(summarise(&tally, postgres.as_ref()))
}

fn run_stage(
    name: &str,
    arguments: &[String],
    options: &TestOptions,
    postgres: Option<(&Postgres, Option<&str>)>,
    tally: &mut Tally,
) -> Result<(), TestError> {
    let mut command = cargo("test");
    // One pipe for both streams keeps cargo's "Running" lines before the results they belong to.
    let (output, writer) = io::pipe()?;
    command.args(["--no-fail-fast", "--color", "never"]).args(arguments);
    command.stdout(writer.try_clone()?).stderr(writer);
    if let Some((server, engine)) = postgres {
        command.env(engines::URL, server.url());
        command.envs(engine.map(|engine| (engines::ENGINE, engine)));
    }
    if let Some(rounds) = options.rounds {
        command.env(ROUNDS, rounds.to_string());
    }
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
fn summarise(tally: &Tally, postgres: Option<&Postgres>) -> bool {
    println!("\n{tally}");
    if let Some(postgres) = postgres {
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
