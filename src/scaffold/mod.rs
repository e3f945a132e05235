//! `freehold new service NAME`: a contract, a crate and its tests, in the workspace that is there or in a new one.
//!
//! The names are checked, the contract is held against all others, and only then is anything written.
//! **Invariant:** no file that exists is overwritten; the table of ports alone gets a line more.

mod names;
mod ports;
mod source;
mod steps;
mod templates;
mod workspace;

use std::path::{Path, PathBuf};
use std::{fs, io};

use freehold_codegen::tree::TreeError;
use freehold_codegen::{Layout, generate, tree};
use freehold_contract::{Model, Sources};

use crate::cli::NewServiceArgs;
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::scaffold::names::{NameError, Names};
use crate::scaffold::ports::PortsError;
use crate::scaffold::source::{Source, SourceError};
use crate::scaffold::workspace::{Workspace, WorkspaceError};

/// The folders of a workspace.
const CONTRACTS: &str = "proto";
const SDK: &str = "sdk";
const SERVICES: &str = "services";

/// Why there is no new service.
#[derive(Debug, thiserror::Error)]
enum NewError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Ports(#[from] PortsError),
    #[error("`{}` exists; nothing was written", .0.display())]
    Exists(PathBuf),
    #[error("failed to write `{}`", .0.display())]
    Write(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Generate(#[from] freehold_codegen::Error),
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// A file to be written: its path from the root, and what is in it.
pub(crate) struct NewFile {
    path: String,
    text: String,
}

/// Begins a service.
pub(crate) fn run(args: &NewServiceArgs) -> Result<(), Failure> {
    let names = Names::new(&args.name, args.entity.as_deref()).map_err(refused)?;
    let workspace = Workspace::find(&args.dir).map_err(refused)?;
    let mut files = templates::service(&names);
    if workspace.is_none() {
        let source = Source::parse(args.freehold.as_deref()).map_err(refused)?;
        files.extend(templates::workspace(&source));
    }
    vacant(&args.dir, &files).map_err(refused)?;
    let model = with_contracts_there(&args.dir, &files)?;
    let port = ports::add(&args.dir, &names, &mut files).map_err(refused)?;
    write(&args.dir, &files).and_then(|()| generated(&args.dir, &model, &names)).map_err(failed)?;
    print!("{}", steps::text(&args.dir, &names, port, workspace.is_none()));
    Ok(())
}

/// Nothing that is to be written may exist.
fn vacant(root: &Path, files: &[NewFile]) -> Result<(), NewError> {
    match files.iter().map(|file| root.join(&file.path)).find(|path| path.exists()) {
        Some(path) => Err(NewError::Exists(path)),
        None => Ok(()),
    }
}

/// The model of the contracts that are there and the new ones.
fn with_contracts_there(root: &Path, files: &[NewFile]) -> Result<Model, Failure> {
    let folder = root.join(CONTRACTS);
    let there = if folder.is_dir() { contracts::texts(&folder) } else { Ok(Vec::new()) };
    let there = there.map_err(|error| Failure::new(Exit::Usage, error))?;
    let new = files.iter().filter_map(|file| {
        let path = file.path.strip_prefix(CONTRACTS)?.strip_prefix('/')?;
        Some((path.to_owned(), file.text.clone()))
    });
    contracts::accepted(&there.into_iter().chain(new).collect::<Sources>())
}

fn write(root: &Path, files: &[NewFile]) -> Result<(), NewError> {
    for file in files {
        let path = root.join(&file.path);
        let folder = path.parent().unwrap_or(root);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, &file.text));
        written.map_err(|error| NewError::Write(path, error))?;
    }
    Ok(())
}

/// Writes what the contracts become.
fn generated(root: &Path, model: &Model, names: &Names) -> Result<(), NewError> {
    let there = |name: &str| root.join(SERVICES).join(name).join("Cargo.toml").is_file();
    let consumers = model.consumers.iter().map(|consumer| consumer.name.as_str());
    let layout = Layout::elsewhere(SDK, SERVICES, consumers.filter(|name| there(name)));
    debug_assert!(there(&names.service), "its crate has been written");
    for change in tree::changes(root, &layout, generate(model, &layout)?)? {
        change.apply(root)?;
    }
    Ok(())
}

fn refused(error: impl Into<NewError>) -> Failure {
    Failure::new(Exit::Usage, error.into())
}

fn failed(error: NewError) -> Failure {
    Failure::new(Exit::Failed, error)
}
