//! `freehold check`: reads a folder of contracts and prints every finding, the line underlined.

use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::{fs, io};

use freehold_contract::{Finding, Severity, Sources};

use crate::cli::{CheckArgs, Format};
use crate::exit::{Exit, Failure};

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("failed to read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("`{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    #[error("there is no .proto file under `{}`", .0.display())]
    Empty(PathBuf),
}

/// Checks the folder.
pub(crate) fn run(args: &CheckArgs, format: Format) -> Result<(), Failure> {
    let files = read(&args.folder).map_err(|error| Failure::new(Exit::Usage, error))?;
    let sources: Sources = files.into_iter().collect();
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
        Format::Json => print!("{}", freehold_contract::render_json(findings, sources)),
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    eprintln!("{} files, {errors} errors, {warnings} warnings", sources.paths().count());
    if errors == 0 { Ok(()) } else { Err(Failure::silent(exit)) }
}

/// All .proto files under `folder`: their import paths and texts, by path.
fn read(folder: &Path) -> Result<Vec<(String, String)>, ReadError> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    if files.is_empty() { Err(ReadError::Empty(folder.to_owned())) } else { Ok(files) }
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
