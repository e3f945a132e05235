//! `freehold-codegen`: writes what the contracts of a repository become, or tells what of it is stale.
//!
//! The command of this repository's own chores: `freehold gen` is the one for everybody.

mod command;
mod repository;

use std::process::ExitCode;

use command::Command;

/// 0: all is written, or all is fresh. 1: something is stale, or the contracts are refused. 2: not a command.
fn main() -> ExitCode {
    let command = match Command::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{}", command::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well.
fn run(command: &Command) -> Result<bool, repository::Problem> {
    let changes = repository::changes(&command.root, command.layout.as_ref())?;
    if command.check {
        for change in &changes {
            println!("{change}");
        }
        if !changes.is_empty() {
            eprintln!("{} generated files are not what the contracts say; generate again", changes.len());
        }
        return Ok(changes.is_empty());
    }
    for change in &changes {
        change.apply(&command.root)?;
        println!("{change}");
    }
    Ok(true)
}
