//! Contracts as the command gets them: those that it was built with, or a folder of .proto files.
//!
//! A folder is read here and compiled by `freehold_contract`; whoever wants the model alone gets it, or the findings on
//! standard error and the exit code that `check` would end with.

use std::path::{Path, PathBuf};
use std::{fs, io};

use freehold_contract::{Finding, Model, Severity, Sources};

use crate::exit::{Exit, Failure};

/// What `build.rs` compiled.
pub(crate) const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contracts.bin"));

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("failed to read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("`{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    #[error("there is no .proto file under `{}`", .0.display())]
    Empty(PathBuf),
}

/// The contracts that this command was built with.
pub(crate) fn embedded() -> Result<Model, Failure> {
    freehold_contract::load_descriptors(EMBEDDED).map_err(|error| Failure::new(Exit::Failed, error))
}

/// The contracts in a folder; it fails, as `check` does, where one of them does not compile or breaks a rule.
pub(crate) fn of_folder(folder: &Path) -> Result<Model, Failure> {
    accepted(&read(folder).map_err(|error| Failure::new(Exit::Usage, error))?)
}

/// The model of contracts that compile and break no rule.
pub(crate) fn accepted(sources: &Sources) -> Result<Model, Failure> {
    let refused = |findings: &[Finding], exit| {
        eprint!("{}", freehold_contract::render_text(findings, sources));
        Failure::silent(exit)
    };
    let model = freehold_contract::load(sources).map_err(|findings| refused(&findings, Exit::NotCompiled))?;
    let findings = freehold_contract::check(&model, sources);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(refused(&findings, Exit::Linted));
    }
    Ok(model)
}

/// All .proto files under `folder`, by the paths that imports have.
pub(crate) fn read(folder: &Path) -> Result<Sources, ReadError> {
    let files = texts(folder)?;
    if files.is_empty() { Err(ReadError::Empty(folder.to_owned())) } else { Ok(files.into_iter().collect()) }
}

/// The same as pairs of path and text, ascending; none where there is no such file.
pub(crate) fn texts(folder: &Path) -> Result<Vec<(String, String)>, ReadError> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> Result<(), ReadError> {
    let failed = |error| ReadError::Io(folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push((import_path(root, &path), text(&path)?));
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, ReadError> {
    let bytes = fs::read(path).map_err(|error| ReadError::Io(path.to_owned(), error))?;
    String::from_utf8(bytes).map_err(|_| ReadError::NotUtf8(path.to_owned()))
}

fn import_path(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
