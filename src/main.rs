//! The `freehold` command: runs a mesh, pushes a workload through it, checks its data and its contracts.
//!
//! Data goes to standard output, progress and logs to standard error; `exit` has the codes.

mod call;
mod check;
mod cli;
mod compat;
mod completions;
mod config;
mod contracts;
mod database;
mod demo;
mod doctor;
mod duration;
mod exit;
mod explain;
mod export;
mod findings;
mod generate;
mod graph;
mod man;
mod operate;
mod output;
mod place;
mod release;
mod scaffold;
mod status;
mod up;
mod verify;
mod version;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Db, New, Verb};
use crate::exit::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = config::load(cli.config.as_deref())?;
    match cli.verb.unwrap_or_else(|| Verb::Up(Default::default())) {
        Verb::Up(args) => up::run(&args, &config),
        Verb::Demo(args) => demo::run(&args, &config, cli.output),
        Verb::Verify(args) => verify::run(&args, &config, cli.output),
        Verb::Db(Db::Init(args)) => database::init(&args, &config),
        Verb::Check(args) => check::run(&args, cli.output),
        Verb::Compat(args) => compat::run(&args, cli.output),
        Verb::Release(args) => release::run(&args, cli.output),
        Verb::Explain(args) => explain::run(&args, cli.output),
        Verb::Call(args) => call::run(&args, cli.output),
        Verb::Graph(args) => graph::run(&args, cli.output),
        Verb::Export(export) => export::run(&export),
        Verb::Gen(args) => generate::run(&args, cli.output),
        Verb::New(New::Service(args)) => scaffold::run(&args),
        Verb::Lag(args) => operate::lag(&args, cli.output),
        Verb::Flow(args) => operate::flow(&args, cli.output),
        Verb::Relay(verb) => operate::relay(&verb, cli.output),
        Verb::Replay(args) => operate::replay(&args, cli.output),
        Verb::Dlq(verb) => operate::dlq(&verb, cli.output),
        Verb::Events(verb) => operate::events(&verb, cli.output),
        Verb::Status(args) => status::run(&args, cli.output),
        Verb::Doctor(args) => doctor::run(&args, &config, cli.output),
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
        Verb::Version => version::run(cli.output),
    }
}
