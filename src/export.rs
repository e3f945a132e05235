//! `freehold export`: the contracts in the words of others.

use std::io::{self, Write};

use crate::cli::{Export, ExportArgs};
use crate::contracts;
use crate::exit::{Exit, Failure};

/// Prints the document.
pub(crate) fn run(export: &Export) -> Result<(), Failure> {
    match export {
        Export::Openapi(args) => openapi(args),
    }
}

fn openapi(args: &ExportArgs) -> Result<(), Failure> {
    let model = match &args.proto {
        Some(folder) => contracts::of_folder(folder)?,
        None => contracts::embedded()?,
    };
    let document = freehold_transcode::openapi::document(&model.descriptors, &args.title, &args.version)
        .map_err(|error| Failure::new(Exit::Linted, error))?;
    writeln!(io::stdout(), "{document:#}").map_err(|error| Failure::new(Exit::Failed, error))
}
