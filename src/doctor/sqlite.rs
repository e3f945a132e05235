//! SQLite as it runs here: its version, and whether a store of ours opens with the settings that it insists on.
//!
//! A store is opened for the trial: it reads its own settings back, and refuses to run where one of them is not kept.

use std::path::Path;
use std::time::Duration;

use freehold_server::databases::sqlite_url;
use freehold_store::{OpenError, Options, Queries, Store};

use crate::doctor::verdict::Verdict;
use crate::exit::chain;

/// The first version without the defects that a WAL under load can meet.
const LEAST: [u32; 3] = [3, 51, 3];
const NAME: &str = "doctor";

/// The version, or why a store does not open.
pub(crate) type Seen = Result<String, String>;

/// Opens a store in a folder of its own.
pub(crate) async fn look(scratch: &Path) -> Seen {
    version(&sqlite_url(scratch, NAME)).await.map_err(|error| chain(&error))
}

async fn version(url: &str) -> Result<String, OpenError> {
    let store = Store::open(Options::new(NAME, url).read_budget(Duration::from_secs(5))).await?;
    let row = store.read().await?.one("SELECT sqlite_version() AS version", Vec::new()).await?;
    store.close().await;
    Ok(row.map(|row| row.get("version")).transpose()?.unwrap_or_default())
}

/// Whether commits of it are kept.
pub(crate) fn check(seen: &Seen) -> Verdict {
    match seen {
        Err(problem) => {
            let advice = "keep the databases on a local disk, with a file system that SQLite's WAL works on";
            Verdict::wrong("sqlite", format!("a store does not open: {problem}"), advice)
        }
        Ok(version) if parts(version) < Some(LEAST) => {
            let found =
                format!("SQLite {version} is older than {}", LEAST.map(|part| part.to_string()).join("."));
            Verdict::warn("sqlite", found, "build the command with the SQLite that it brings along")
        }
        Ok(version) => {
            Verdict::ok("sqlite", format!("SQLite {version}, WAL, synchronous=FULL: a commit is kept"))
        }
    }
}

fn parts(version: &str) -> Option<[u32; 3]> {
    let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::verdict::State;

    #[test]
    fn an_old_version_and_an_unknown_one_are_doubted() {
        for (version, state) in [
            ("3.51.3", State::Ok),
            ("3.100.0", State::Ok),
            ("4.0.0", State::Ok),
            ("3.51.2", State::Warn),
            ("3.9.9", State::Warn),
            ("", State::Warn),
        ] {
            assert_eq!(check(&Ok(version.to_owned())).state, state, "{version}");
        }
        assert_eq!(check(&Err("the database has synchronous = 1".to_owned())).state, State::Wrong);
    }

    #[tokio::test]
    async fn the_sqlite_of_this_command_is_fine() {
        let scratch = tempfile::tempdir().unwrap();
        let seen = look(scratch.path()).await;
        assert_eq!(check(&seen).state, State::Ok, "{seen:?}");
    }
}
