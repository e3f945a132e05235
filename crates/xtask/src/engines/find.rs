//! Finds a PostgreSQL on this machine, or installs Debian's.
//!
//! Servers are usually not on PATH: the folders that the distributions use are looked into as well, the newest first.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repository::{NotStarted, succeeds};

/// The first version with `pg_snapshot` and `xid8`, on which positions and tokens rest.
const LEAST: u32 = 13;

/// Where distributions put the programs of each version, `*` being the version.
const FOLDERS: [&str; 5] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/lib/postgresql*/bin",
];

/// The programs of one PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    /// Makes a cluster.
    pub(crate) initdb: PathBuf,
    /// The server.
    pub(crate) postgres: PathBuf,
    /// "15.18".
    pub(crate) version: String,
}

impl Programs {
    /// Where they all are.
    pub(crate) fn folder(&self) -> &Path {
        self.postgres.parent().unwrap_or(Path::new("."))
    }

    /// Whether initdb can be told how the server sorts, independent of what the system has.
    pub(crate) fn has_collation_providers(&self) -> bool {
        major(&self.version) >= 15
    }
}

/// There is no PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    /// None is installed, and we may not install one.
    #[error(
        "find PostgreSQL {LEAST} or newer: `initdb` and `postgres` are neither on PATH nor in {folders}\n  \
         install the server: `apt-get install postgresql`, `dnf install postgresql-server` or `brew install postgresql`",
        folders = FOLDERS.join(", ")
    )]
    Absent,
    /// The installation ended badly.
    #[error("install PostgreSQL: `{0}` ended with an error, see above")]
    NotInstalled(String),
    /// The installer did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
}

/// The newest PostgreSQL of this machine; where there is none and we are root on Debian, its package is installed.
pub(crate) fn find_or_install() -> Result<Programs, FindError> {
    if let Some(programs) = find() {
        return Ok(programs);
    }
    if !may_install() {
        return Err(FindError::Absent);
    }
    install()?;
    find().ok_or(FindError::Absent)
}

fn find() -> Option<Programs> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path);
    on_path
        .chain(FOLDERS.iter().flat_map(|pattern| matching(pattern)))
        .find_map(|folder| programs_in(&folder))
}

/// The folders that `pattern`, with one `*` in it, stands for, the highest version first.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return Vec::new() };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut versions: Vec<String> =
        names.filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(major(version)));
    versions.iter().map(|version| PathBuf::from(format!("{before}{version}{after}"))).collect()
}

fn programs_in(folder: &Path) -> Option<Programs> {
    let (initdb, postgres) = (folder.join("initdb"), folder.join("postgres"));
    if !initdb.is_file() || !postgres.is_file() {
        return None;
    }
    let output = Command::new(&postgres).arg("--version").output().ok()?;
    let version = version(&String::from_utf8_lossy(&output.stdout))?;
    (major(&version) >= LEAST).then_some(Programs { initdb, postgres, version })
}

/// The version in "postgres (PostgreSQL) 15.18 (Debian 15.18-0)".
fn version(answer: &str) -> Option<String> {
    let words = answer.split_whitespace();
    words.skip_while(|word| *word != "(PostgreSQL)").nth(1).map(str::to_owned)
}

/// The number that a version begins with; 0 when there is none.
fn major(version: &str) -> u32 {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Whether this is Debian, or one of its kin, and we are root.
fn may_install() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root && Path::new("/etc/debian_version").exists()
}

fn install() -> Result<(), FindError> {
    println!("no PostgreSQL here: installing Debian's package `postgresql`");
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "postgresql"]] {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        if !succeeds(&mut command)? {
            return Err(FindError::NotInstalled(format!("apt-get {}", arguments.join(" "))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_servers_answer() {
        assert_eq!(
            version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").as_deref(),
            Some("15.18")
        );
        assert_eq!(version("postgres (PostgreSQL) 18beta1\n").as_deref(), Some("18beta1"));
        assert_eq!(version("command not found"), None);
        assert_eq!((major("15.18"), major("18beta1"), major("")), (15, 18, 0));
    }

    #[test]
    fn the_newest_version_is_looked_at_first() {
        let folder = std::env::temp_dir().join(format!("freehold-find-{}", std::process::id()));
        for version in ["9.6", "16", "13"] {
            fs::create_dir_all(folder.join(version).join("bin")).unwrap();
        }
        let found = matching(&format!("{}/*/bin", folder.display()));
        fs::remove_dir_all(&folder).unwrap();
        let expected: Vec<_> = ["16", "13", "9.6"].map(|version| folder.join(version).join("bin")).into();
        assert_eq!(found, expected);
    }
}
