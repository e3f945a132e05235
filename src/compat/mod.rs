//! `freehold compat`: what a change of contracts breaks, and whom.
//!
//! Reads the contracts at hand and what they are compared with, asks `freehold_contract::compat`, and prints its findings.
//! Without a category the verdict is that of the mesh, against every release too, less
//! what is waived; with one, that of plain Protobuf.

mod baseline;
mod git;
pub(crate) mod released;
mod sdk;
mod state;
mod verdict;
mod waivers;

pub(crate) use self::baseline::lives;
pub(crate) use self::state::State;
pub(crate) use self::verdict::of_the_mesh;
use self::waivers::today;
use crate::cli::{CompatArgs, ErrorFormat, Format};
use crate::exit::{Exit, Failure};
use crate::findings::{self, Report};
use crate::output;

/// Compares.
pub(crate) fn run(args: &CompatArgs, output: Format) -> Result<(), Failure> {
    let current = State::of_path(&args.current).map_err(|error| Failure::new(Exit::Usage, error))?;
    let waivers = waivers::read(args).map_err(|error| Failure::new(Exit::Usage, error))?;
    let baselines = baseline::all(args).map_err(|error| Failure::new(Exit::Usage, error))?;
    let names: Vec<String> = baselines.iter().map(|baseline| baseline.name.clone()).collect();
    let format = args.error_format.unwrap_or_else(|| output.into());
    let sdk = if args.sdk { sdk::sections(&baselines, &current, format) } else { Ok(String::new()) };
    let sdk = sdk.map_err(|error| Failure::new(Exit::NotCompiled, error))?;
    let compared = match args.category {
        None => verdict::of_the_mesh(baselines, current).map(|compared| compared.without(waivers, today())),
        Some(category) => verdict::of_a_category(baselines, current, category.into()),
    };
    let compared = compared.map_err(|error| Failure::new(Exit::Usage, error))?;
    let folder = if args.current.is_dir() { args.current.as_path() } else { "".as_ref() };
    let report = Report::on("freehold compat", folder, format);
    report.print_with(&compared.findings, &compared.waived, compared.texts())?;
    if format == ErrorFormat::Text {
        output::write(compared.summary().as_bytes())?;
    }
    waivers::print(&compared.waived, format)?;
    sdk::print(&sdk, format)?;
    let waived = match compared.waived.len() {
        0 => String::new(),
        count => format!(", {count} waived"),
    };
    eprintln!("compared with {}: {}{waived}", names.join(", "), findings::count(&compared.findings));
    if findings::refuse(&compared.findings) { Err(Failure::silent(compared.exit)) } else { Ok(()) }
}
