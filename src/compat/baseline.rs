//! What the contracts at hand are compared with: the baselines that are named, and the releases of the tree.
//!
//! A name is a folder, a file with a descriptor set, or a git ref; what is both a path and a ref is refused, since a
//! comparison of a tree with itself would find nothing and say so. **Invariant:** there is always something to compare with.

use std::path::{Path, PathBuf};

use freehold_contract::compat::Life;

use super::git::{self, GitError};
use super::released::{self, Release, ReleasedError};
use super::state::State;
use crate::cli::CompatArgs;
use crate::contracts::ReadError;

/// Something to compare with, not compiled yet.
#[derive(Debug)]
pub(crate) struct Named {
    /// What findings call it.
    pub(crate) name: String,
    /// Who may still hold to it.
    pub(crate) life: Life,
    /// What it says.
    pub(crate) state: State,
}

/// Why there is no baseline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Released(#[from] ReleasedError),
    #[error("`{0}` is a path and a git ref; write `./{0}` for the path, `{0}:FOLDER` for the ref")]
    Both(String),
    #[error(
        "there is nothing to compare with: name a baseline, as in `--against main`; or write a first release, `freehold \
         release`, which is found in `{}`", .0.display()
    )]
    None(PathBuf),
}

/// All that the contracts at hand are compared with: what is named, and for the verdict of the mesh every release. Where
/// nothing is named, the latest release is what runs.
pub(crate) fn all(args: &CompatArgs) -> Result<Vec<Named>, BaselineError> {
    let folder = args.released.clone().unwrap_or_else(|| released::beside(&args.current));
    let mut baselines: Vec<Named> = Vec::new();
    for name in &args.against {
        if baselines.iter().all(|known| known.name != *name) {
            let state = read(name, &args.current)?;
            baselines.push(Named { name: name.clone(), life: Life::Live, state });
        }
    }
    let mut releases = released::list(&folder)?;
    match (args.category, baselines.is_empty()) {
        (None, true) => baselines = lives(releases)?,
        (None, false) => baselines.extend(all_of(releases, Life::Released)?),
        (Some(_), true) => baselines.extend(all_of(releases.pop(), Life::Live)?),
        (Some(_), false) => {}
    }
    if baselines.is_empty() { Err(BaselineError::None(folder)) } else { Ok(baselines) }
}

/// Every release: the latest runs, of the others events and copies are left.
pub(crate) fn lives(mut releases: Vec<Release>) -> Result<Vec<Named>, ReadError> {
    let latest = releases.pop();
    let mut baselines = all_of(latest, Life::Live)?;
    baselines.extend(all_of(releases, Life::Released)?);
    Ok(baselines)
}

fn all_of(releases: impl IntoIterator<Item = Release>, life: Life) -> Result<Vec<Named>, ReadError> {
    let named =
        |release: Release| Ok(Named { name: release.version.to_string(), life, state: release.read()? });
    releases.into_iter().map(named).collect()
}

fn read(name: &str, current: &Path) -> Result<State, BaselineError> {
    let path = Path::new(name);
    if !path.exists() {
        return Ok(git::read(name, current)?);
    }
    let clearly_a_path = name.starts_with(['.', '/']) || name.ends_with('/');
    if !clearly_a_path && git::is_ref(name) {
        return Err(BaselineError::Both(name.to_owned()));
    }
    Ok(State::of_path(path)?)
}
