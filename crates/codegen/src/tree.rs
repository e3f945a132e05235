//! A tree on disk against the files that its contracts become: what of it is stale, and how that is put right.
//!
//! In: a root, a layout, the generated files. Out: the changes that would make the tree say what the files say.
//! **Invariant:** what somebody wrote by hand is never removed, whatever folder the layout names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::format::MARK;
use crate::layout::Layout;
use crate::output::{DESCRIPTORS, File};

/// Why a tree cannot be compared or changed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file or folder.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file by hand where only generated ones are kept.
    #[error("failed to keep {folder} for generated files alone: {path} was not generated; move it elsewhere")]
    ByHand {
        /// The folder of the layout.
        folder: String,
        /// The file in it.
        path: String,
    },
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    Missing,
    /// It says something else.
    Stale,
    /// It was generated from a contract that is gone.
    Orphan,
}

impl State {
    /// "missing", "stale", "orphan".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Orphan => "orphan",
        }
    }
}

/// A file that is not as it should be. It shows itself as a line: "stale   sdk/src/generated/mod.rs".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    path: String,
    state: State,
    /// What should be in it; nothing where the file should not be.
    contents: Option<Vec<u8>>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8}{}", self.state.name(), self.path)
    }
}

impl Change {
    /// The file, below the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Writes or removes the file.
    ///
    /// # Errors
    /// The file or its folder cannot be written or removed.
    pub fn apply(&self, root: &Path) -> Result<(), TreeError> {
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

/// What of the tree at `root` is not as `files`, by path. In the folders of the layout nothing else may be.
///
/// # Errors
/// A file cannot be read, or one in those folders was not generated.
pub fn changes(root: &Path, layout: &Layout, files: Vec<File>) -> Result<Vec<Change>, TreeError> {
    let wanted: BTreeMap<String, Vec<u8>> =
        files.into_iter().map(|file| (file.path, file.contents)).collect();
    let mut changes = orphans(root, layout, &wanted)?;
    for (path, contents) in wanted {
        let state = match read(&root.join(&path))? {
            None => State::Missing,
            Some(found) if found != contents => State::Stale,
            Some(_) => continue,
        };
        changes.push(Change { path, state, contents: Some(contents) });
    }
    changes.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(changes)
}

fn orphans(
    root: &Path,
    layout: &Layout,
    wanted: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<Change>, TreeError> {
    let mut orphans = Vec::new();
    for folder in layout.folders() {
        for below in files(&root.join(folder))? {
            let path = format!("{folder}/{below}");
            if wanted.contains_key(&path) {
                continue;
            }
            if !is_generated(&root.join(&path))? {
                return Err(TreeError::ByHand { folder: folder.to_owned(), path });
            }
            orphans.push(Change { path, state: State::Orphan, contents: None });
        }
    }
    Ok(orphans)
}

/// Whether the generator wrote a file: its Rust says so in its first lines.
fn is_generated(path: &Path) -> Result<bool, TreeError> {
    if path.ends_with(DESCRIPTORS) {
        return Ok(true);
    }
    let contents = read(path)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&contents);
    Ok(text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains(MARK)))
}

/// The files below a folder, as paths from there with `/`, ascending; none where there is no such folder.
///
/// # Errors
/// A folder cannot be listed.
pub fn files(folder: &Path) -> Result<BTreeSet<String>, TreeError> {
    let mut found = BTreeSet::new();
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
                found.insert(path);
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, TreeError> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> TreeError {
    let path = path.to_owned();
    move |source| TreeError::Io { action, path: path.clone(), source }
}
