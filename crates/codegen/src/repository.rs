//! A repository on disk: its contracts, the generated files that it has, and those that it should have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use freehold_codegen::{Layout, generate};
use freehold_contract::{Finding, Severity, Sources, check, load, render_text};

/// The folder of the contracts.
const CONTRACTS: &str = "proto";

/// Why a repository cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The contracts are refused.
    #[error("the contracts are refused\n\n{0}")]
    Contracts(String),
    /// There is no Rust for them.
    #[error("failed to generate: {0}")]
    Generate(#[from] freehold_codegen::Error),
    /// A file or folder.
    #[error("failed to {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// A file that is not as it should be.
#[derive(Debug)]
pub(crate) struct Change {
    path: String,
    /// What should be in it; nothing where the file should not be.
    contents: Option<Vec<u8>>,
    is_new: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (&self.contents, self.is_new) {
            (None, _) => "orphan",
            (Some(_), true) => "missing",
            (Some(_), false) => "stale",
        };
        write!(f, "{word:<8}{}", self.path)
    }
}

impl Change {
    /// Writes or removes the file.
    pub(crate) fn apply(&self, root: &Path) -> Result<(), Problem> {
        let path = root.join(&self.path);
        let Some(contents) = &self.contents else {
            return fs::remove_file(&path).map_err(failed("remove", &path));
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        fs::write(&path, contents).map_err(failed("write", &path))
    }
}

/// The generated files of the repository at `root` that are not what its contracts say, by path.
pub(crate) fn changes(root: &Path, layout: Option<&Layout>) -> Result<Vec<Change>, Problem> {
    let sources = sources(&root.join(CONTRACTS))?;
    let refused = |findings: &[Finding]| Problem::Contracts(render_text(findings, &sources));
    let model = load(&sources).map_err(|findings| refused(&findings))?;
    let findings = check(&model, &sources);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(refused(&findings));
    }
    let layout = layout.cloned().unwrap_or_else(|| Layout::repository(&model));
    let mut wanted: BTreeMap<String, Vec<u8>> =
        generate(&model, &layout)?.into_iter().map(|file| (file.path, file.contents)).collect();
    let mut paths: BTreeSet<String> = wanted.keys().cloned().collect();
    for folder in layout.folders() {
        for path in files(&root.join(folder))? {
            paths.insert(format!("{folder}/{path}"));
        }
    }
    let mut changes = Vec::new();
    for path in paths {
        let found = read(&root.join(&path))?;
        let contents = wanted.remove(&path);
        if contents != found {
            changes.push(Change { is_new: found.is_none(), path, contents });
        }
    }
    Ok(changes)
}

/// The contracts below a folder, by the paths that imports have.
fn sources(folder: &Path) -> Result<Sources, Problem> {
    let mut texts = Vec::new();
    for path in files(folder)?.into_iter().filter(|path| path.ends_with(".proto")) {
        let place = folder.join(&path);
        texts.push((path, fs::read_to_string(&place).map_err(failed("read", &place))?));
    }
    Ok(texts.into_iter().collect())
}

/// The files below a folder, as paths from there with `/`; none where there is no such folder.
fn files(folder: &Path) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    let mut below = vec![String::new()];
    while let Some(prefix) = below.pop() {
        let folder = folder.join(&prefix);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound && prefix.is_empty() => return Ok(found),
            Err(error) => return Err(failed("list", &folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed("list", &folder))?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(failed("list", &folder))?.is_dir() {
                below.push(format!("{path}/"));
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Problem> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Problem {
    let path = path.to_owned();
    move |source| Problem::Io { action, path: path.clone(), source }
}
