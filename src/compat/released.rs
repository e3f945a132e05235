//! The releases of a tree: contracts/released/<version>.binpb, a descriptor set each, as `freehold release` writes them.
//!
//! **Invariant:** a release is named after its version and never changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fs, io};

use super::state::State;
use crate::contracts::{self, ReadError};

/// What the name of a release ends with.
const EXTENSION: &str = "binpb";

/// A released state of the contracts.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    /// Its version.
    pub(crate) version: Version,
    /// Its file.
    pub(crate) path: PathBuf,
}

/// The version of a release: three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

/// A text is no version.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no version; one is three numbers, such as 0.2.0")]
pub(crate) struct NoVersion(String);

/// Why the releases are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReleasedError {
    #[error("failed to read the releases in `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("the release `{}` is not named after its version", .0.display())]
    Name(PathBuf, #[source] NoVersion),
}

/// The folder of the releases of contracts: beside the folder that they are in.
pub(crate) fn beside(contracts: &Path) -> PathBuf {
    contracts.parent().unwrap_or(Path::new("")).join("contracts/released")
}

/// The releases in a folder, ascending; none where there is no such folder.
pub(crate) fn list(folder: &Path) -> Result<Vec<Release>, ReleasedError> {
    let failed = |error| ReleasedError::Io(folder.to_owned(), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut releases = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let version = name.parse().map_err(|error| ReleasedError::Name(path.clone(), error))?;
            releases.push(Release { version, path });
        }
    }
    releases.sort_by_key(|release| release.version);
    Ok(releases)
}

impl Release {
    /// The release of a version in a folder, whether it is there or not.
    pub(crate) fn of(folder: &Path, version: Version) -> Self {
        Self { version, path: folder.join(format!("{version}.{EXTENSION}")) }
    }

    /// What it says.
    pub(crate) fn read(&self) -> Result<State, ReadError> {
        contracts::bytes(&self.path).map(State::Descriptors)
    }
}

impl Version {
    /// The version of a first release.
    pub(crate) const FIRST: Self = Self { major: 0, minor: 1, patch: 0 };

    /// The next minor version: what is released breaks nobody.
    pub(crate) fn next(self) -> Self {
        Self { minor: self.minor.saturating_add(1), patch: 0, ..self }
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let no_version = || NoVersion(text.to_owned());
        // "01" and "+1" are numbers to Rust, and would be other names of the same version.
        let number = |part: &str| {
            let number: Option<u64> = part.parse().ok();
            number.filter(|number| number.to_string() == part)
        };
        let numbers: Vec<u64> = text.split('.').map(number).collect::<Option<_>>().ok_or_else(no_version)?;
        match numbers[..] {
            [major, minor, patch] => Ok(Self { major, minor, patch }),
            _ => Err(no_version()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers() {
        let next: Version = "0.9.3".parse().unwrap();
        assert_eq!((next.to_string(), next.next().to_string()), ("0.9.3".to_owned(), "0.10.0".to_owned()));
        for text in ["", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "+1.2.3", "1.2.x", "../1.2.3"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn releases_are_listed_by_version_and_not_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0.10.0.binpb", "0.9.0.binpb", "README.md"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let versions: Vec<String> =
            list(folder.path()).unwrap().iter().map(|release| release.version.to_string()).collect();
        assert_eq!(versions, ["0.9.0", "0.10.0"]);
        assert!(list(&folder.path().join("none")).unwrap().is_empty());
        fs::write(folder.path().join("main.binpb"), "").unwrap();
        assert!(matches!(list(folder.path()), Err(ReleasedError::Name(..))));
    }

    #[test]
    fn releases_are_beside_the_contracts() {
        assert_eq!(beside(Path::new("proto")), Path::new("contracts/released"));
        assert_eq!(beside(Path::new("shop/proto")), Path::new("shop/contracts/released"));
    }
}
