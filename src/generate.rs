//! `freehold gen`: writes what the contracts of a tree become, or tells which of its generated files are stale.
//!
//! For other people's repositories: the language's own contracts are built in, so a tree holds its own ones only. Contracts
//! that `check` refuses are refused here with the same words, and nothing is written.

use std::path::Path;

use freehold_codegen::tree::{self, Change};
use freehold_codegen::{Layout, generate};
use freehold_contract::Model;

use crate::cli::{Format, GenArgs};
use crate::contracts;
use crate::exit::{Exit, Failure};

/// The tree that paths of options are relative to.
const HERE: &str = ".";

/// Writes, or checks.
pub(crate) fn run(args: &GenArgs, format: Format) -> Result<(), Failure> {
    let model = contracts::of_folder(&args.proto)?;
    let changes = changes(Path::new(HERE), &layout(&model, args), &model)?;
    for change in &changes {
        if !args.check {
            change.apply(Path::new(HERE)).map_err(failed)?;
        }
        print(change, format);
    }
    if !args.check || changes.is_empty() {
        return Ok(());
    }
    eprintln!("{} generated files are not what the contracts say; run `freehold gen`", changes.len());
    Err(Failure::silent(Exit::Stale))
}

/// What of the tree at `root` is not what its contracts become.
pub(crate) fn changes(root: &Path, layout: &Layout, model: &Model) -> Result<Vec<Change>, Failure> {
    let files = generate(model, layout).map_err(failed)?;
    tree::changes(root, layout, files).map_err(failed)
}

/// The crates that the tree has; the needs of all other consumers are generated where those live.
fn layout(model: &Model, args: &GenArgs) -> Layout {
    let names = model.consumers.iter().map(|consumer| consumer.name.as_str());
    let here = names.filter(|name| args.services.join(name).join("Cargo.toml").is_file());
    Layout::elsewhere(&slashed(&args.sdk), &slashed(&args.services), here)
}

/// A path as the layout has it.
fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn print(change: &Change, format: Format) {
    match format {
        Format::Text => println!("{change}"),
        Format::Json => {
            println!("{}", serde_json::json!({ "path": change.path(), "state": change.state().name() }));
        }
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Exit::Failed, error)
}
