//! `freehold check`: reads a folder of contracts and prints every finding, the line underlined.

use std::io::{IsTerminal, stdout};

use freehold_contract::{Finding, Severity, Sources};

use crate::cli::{CheckArgs, Format};
use crate::contracts;
use crate::exit::{Exit, Failure};

/// Checks the folder.
pub(crate) fn run(args: &CheckArgs, format: Format) -> Result<(), Failure> {
    let sources = contracts::read(&args.folder).map_err(|error| Failure::new(Exit::Usage, error))?;
    match freehold_contract::load(&sources) {
        Err(findings) => report(&findings, &sources, format, Exit::NotCompiled),
        Ok(model) => {
            let findings = freehold_contract::check(&model, &sources);
            report(&findings, &sources, format, Exit::Linted)
        }
    }
}

fn report(findings: &[Finding], sources: &Sources, format: Format, exit: Exit) -> Result<(), Failure> {
    match format {
        Format::Text if stdout().is_terminal() => {
            print!("{}", freehold_contract::render_text_color(findings, sources));
        }
        Format::Text => print!("{}", freehold_contract::render_text(findings, sources)),
        Format::Json => print!("{}", freehold_contract::render_json(findings)),
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    eprintln!("{} files, {errors} errors, {warnings} warnings", sources.paths().count());
    if errors == 0 { Ok(()) } else { Err(Failure::silent(exit)) }
}
