//! `freehold version`.

use crate::cli::Format;
use crate::exit::Failure;

/// Prints the version, and the digest of the contracts that this command was built with.
pub(crate) fn run(format: Format) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match format {
        Format::Text => println!("freehold {version}"),
        Format::Json => println!("{}", serde_json::json!({ "name": "freehold", "version": version })),
    }
    Ok(())
}
