//! Chores of this repository: `cargo xtask test`, `gen`, `bench`, `instructions`, `soak`, `readme`.
//!
//! Reads the words of the command line and runs one chore from the root of the repository. Exits with 0 when all is well,
//! 1 when something failed, 2 when the command line is not understood.

mod arguments;
mod bench;
mod engines;
mod generate;
mod held;
mod instructions;
mod readme;
mod repository;
mod soak;
mod test;

use std::error::Error;
use std::process::ExitCode;

use arguments::Chore;

fn main() -> ExitCode {
    let chore = match arguments::parse(std::env::args().skip(1)) {
        Ok(chore) => chore,
        Err(error) => {
            eprintln!("error: {error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Runs a chore; false when what it checks is not as it should be, which it has then said.
fn run(chore: Chore) -> Result<bool, Box<dyn Error>> {
    Ok(match chore {
        Chore::Help => {
            println!("{}", arguments::USAGE);
            true
        }
        Chore::Test(options) => test::run(&options)?,
        Chore::Generate { check } => generate::run(check)?,
        Chore::Bench { names } => bench::run(&names)?,
        Chore::Soak(options) => soak::run(&options)?,
        Chore::Instructions => instructions::run()?,
        Chore::Readme { file } => readme::run(&file)?,
        Chore::Hold(order) => held::hold(&order)?,
    })
}

fn report(error: &dyn Error) {
    eprintln!("error: failed to {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
