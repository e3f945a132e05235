//! `freehold release`: keeps the contracts of today as a version, which every later change is judged by.
//!
//! Stored events and replicas are replayed, so what was released once counts for ever. **Invariant:** a release never
//! changes, and never breaks an earlier one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use freehold_contract::{release_bytes, render_text};
use serde_json::json;

use crate::cli::{Format, ReleaseArgs};
use crate::compat::released::{self, Release, ReleasedError, Version};
use crate::compat::{self, State};
use crate::contracts::{self, ReadError};
use crate::exit::{Exit, Failure};
use crate::findings;
use crate::output;

/// Why nothing was released.
#[derive(Debug, thiserror::Error)]
enum ReleaseError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Released(#[from] ReleasedError),
    #[error(
        "{0} is released already, and says something else: a release never changes; `freehold release` alone takes {1}"
    )]
    Taken(Version, Version),
    #[error("failed to write `{}`", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// Releases.
pub(crate) fn run(args: &ReleaseArgs, output: Format) -> Result<(), Failure> {
    let usage = |error: ReleaseError| Failure::new(Exit::Usage, error);
    let sources = contracts::read(&args.proto).map_err(|error| usage(error.into()))?;
    let model = contracts::accepted(&sources)?;
    let bytes = release_bytes(&model);
    let folder = args.released.clone().unwrap_or_else(|| released::beside(&args.proto));
    let releases = released::list(&folder).map_err(|error| usage(error.into()))?;

    let latest = releases.last();
    let next = latest.map_or(Version::FIRST, |latest| latest.version.next());
    let wanted = args.version.unwrap_or(next);
    let same = |release: &&Release| args.version.is_none_or(|version| release.version == version);
    let existing = releases.iter().rev().find(same);
    if let Some(existing) = existing {
        let known = contracts::bytes(&existing.path).map_err(|error| usage(error.into()))?;
        if known == bytes {
            return say(existing, false, output);
        }
        if existing.version == wanted {
            return Err(usage(ReleaseError::Taken(wanted, next)));
        }
    }
    judge(State::Texts(sources), releases)?;
    let release = Release::of(&folder, wanted);
    write(&folder, &release.path, &bytes)
        .map_err(|error| Failure::new(Exit::Failed, ReleaseError::Write(release.path.clone(), error)))?;
    say(&release, true, output)
}

/// Fails, with what it breaks, where it breaks an earlier release.
fn judge(current: State, releases: Vec<Release>) -> Result<(), Failure> {
    if releases.is_empty() {
        return Ok(());
    }
    let baselines = compat::lives(releases).map_err(|error| Failure::new(Exit::Usage, error))?;
    let compared =
        compat::of_the_mesh(baselines, current).map_err(|error| Failure::new(Exit::Usage, error))?;
    eprint!("{}{}", render_text(&compared.findings, compared.texts()), compared.summary());
    if findings::refuse(&compared.findings) { Err(Failure::silent(compared.exit)) } else { Ok(()) }
}

/// The release, and whether it is new.
fn say(release: &Release, new: bool, output: Format) -> Result<(), Failure> {
    let Release { version, path } = release;
    let text = match (output, new) {
        (Format::Text, true) => format!("{} is written; commit it\n", path.display()),
        (Format::Text, false) => format!("{} says the same\n", path.display()),
        (Format::Json, _) => {
            format!("{}\n", json!({ "version": version.to_string(), "path": path, "new": new }))
        }
    };
    output::write(text.as_bytes())
}

/// Writes the whole file or nothing, and nothing over another one.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = File::create_new(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a release would be taken for one that says something else.
        fs::remove_file(path)?;
    }
    written
}
