//! Contracts as the command gets them: those that it was built with, or a folder of .proto files.
//!
//! A folder is read here and compiled by `freehold_contract`; whoever wants the model alone gets it, or the findings on
//! standard error and the exit code that `check` would end with.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use freehold_contract::{Finding, Model, Sources, rules};

use crate::exit::{Exit, Failure};

/// What `build.rs` compiled.
pub(crate) const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contracts.bin"));

/// The most bytes of a file that are read: no contract and no descriptor set is as long.
pub(crate) const LARGEST: u64 = 64 << 20;
/// The most bytes of the files of a tree together.
pub(crate) const LARGEST_TREE: u64 = 256 << 20;
/// The most files and folders that are looked at; a folder that links to itself ends here, too.
pub(crate) const MOST_FILES: usize = 100_000;

/// Why a folder or a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("failed to read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("`{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    #[error("there is no .proto file under `{}`; name the folder in which the paths of imports begin", .0.display())]
    Empty(PathBuf),
    #[error("`{}` is neither a file nor a folder", .0.display())]
    NotAFile(PathBuf),
    #[error("`{}` is one file of contracts; name the folder in which the paths of imports begin, such as `{}`", .path.display(), .folder.display())]
    OneFile { path: PathBuf, folder: PathBuf },
    #[error("`{}` has {bytes} bytes; at most {LARGEST} are read: it is no contract", .path.display())]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error(
        "there is too much under `{}`: at most {LARGEST_TREE} bytes of contracts and {MOST_FILES} files are read; name the \
         folder of the contracts alone", .0.display()
    )]
    TooMuch(PathBuf),
}

/// The contracts that this command was built with.
pub(crate) fn embedded() -> Result<Model, Failure> {
    freehold_contract::load_descriptors(EMBEDDED).map_err(|error| Failure::new(Exit::Failed, error))
}

/// The contracts in a folder; it fails, as `check` does, where one of them does not compile or breaks a rule. Conventions
/// are not asked: what is generated, drawn or exported is right without them, and `check` is where they are held.
pub(crate) fn of_folder(folder: &Path) -> Result<Model, Failure> {
    accepted(&read(folder).map_err(|error| Failure::new(Exit::Usage, error))?)
}

/// The model of contracts that compile and break no rule but those of style.
pub(crate) fn accepted(sources: &Sources) -> Result<Model, Failure> {
    let refused = |findings: &[Finding], exit| {
        eprint!("{}", freehold_contract::render_text(findings, sources));
        Failure::silent(exit)
    };
    let model = freehold_contract::load(sources).map_err(|findings| refused(&findings, Exit::NotCompiled))?;
    let findings = freehold_contract::check(&model, sources);
    if findings.iter().any(rules::refuses) {
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
    let mut walk = Walk { root: folder, seen: 0, bytes: 0, files: Vec::new() };
    walk.collect(folder)?;
    walk.files.sort();
    Ok(walk.files)
}

/// The bytes of a file that is not too long to be one of contracts.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let failed = |error| ReadError::Io(path.to_owned(), error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        // A pipe would keep us waiting, and a device has no end.
        return Err(ReadError::NotAFile(path.to_owned()));
    }
    if metadata.len() > LARGEST {
        return Err(ReadError::TooLarge { path: path.to_owned(), bytes: metadata.len() });
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// A folder that is being read.
struct Walk<'a> {
    root: &'a Path,
    seen: usize,
    bytes: u64,
    files: Vec<(String, String)>,
}

impl Walk<'_> {
    fn collect(&mut self, folder: &Path) -> Result<(), ReadError> {
        let failed = |error| ReadError::Io(folder.to_owned(), error);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            self.seen += 1;
            if self.seen > MOST_FILES || self.bytes > LARGEST_TREE {
                return Err(ReadError::TooMuch(self.root.to_owned()));
            }
            if path.is_dir() {
                self.collect(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                let text = text(&path)?;
                self.bytes += text.len() as u64;
                self.files.push((import_path(self.root, &path), text));
            }
        }
        Ok(())
    }
}

fn text(path: &Path) -> Result<String, ReadError> {
    String::from_utf8(bytes(path)?).map_err(|_| ReadError::NotUtf8(path.to_owned()))
}

fn import_path(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
