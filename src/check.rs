//! `freehold check`: reads a folder of contracts and prints every finding, the line underlined.

use crate::cli::{CheckArgs, Format};
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::findings::{self, Report};

/// Checks the folder.
pub(crate) fn run(args: &CheckArgs, output: Format) -> Result<(), Failure> {
    let sources = contracts::read(&args.folder).map_err(|error| Failure::new(Exit::Usage, error))?;
    let (findings, exit) = match freehold_contract::load(&sources) {
        Err(findings) => (findings, Exit::NotCompiled),
        Ok(model) => (freehold_contract::check(&model, &sources), Exit::Linted),
    };
    let format = args.error_format.unwrap_or_else(|| output.into());
    Report::on("freehold check", &args.folder, format).print(&findings, &sources)?;
    eprintln!("{} files, {}", sources.paths().count(), findings::count(&findings));
    if findings::refuse(&findings) { Err(Failure::silent(exit)) } else { Ok(()) }
}
