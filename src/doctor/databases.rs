//! The databases that there are: whose each is, whether this program may open it, and which process has it open.
//!
//! They are only looked into, beside an owner that runs. Who holds a lock, Linux alone tells.

use std::fs;
use std::path::Path;
use std::time::Duration;

use freehold_server::databases::sqlite_url;
use freehold_store::{OpenError, Queries, ReadOnly, StoreError, is_owned};

use crate::doctor::verdict::Verdict;
use crate::exit::chain;
use crate::up::{SERVICES, Service};

const BUDGET: Duration = Duration::from_secs(5);

/// What is seen of a database.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) service: &'static str,
    /// Whether this program may open it.
    pub(crate) fits: Result<(), OpenError>,
    /// When its newest event was, in milliseconds since 1970.
    pub(crate) newest: Option<i64>,
    /// Who has it open as its owner.
    pub(crate) owner: Option<Owner>,
}

/// A process that has a database open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Its id and its name.
    Process(u32, String),
    /// The system does not say which.
    Unknown,
}

/// Looks into each database of the folder.
pub(crate) async fn look(folder: &Path) -> Vec<Seen> {
    let mut seen = Vec::new();
    for service in &SERVICES {
        if folder.join(format!("{}.db", service.name)).exists() {
            seen.push(look_into(folder, service).await);
        }
    }
    seen
}

async fn look_into(folder: &Path, service: &Service) -> Seen {
    let url = sqlite_url(folder, service.name);
    let looked = examine(service, &url).await;
    let (fits, newest) = match looked {
        Ok(newest) => (Ok(()), newest),
        Err(error) => (Err(error), None),
    };
    let lock = folder.join(format!("{}.db.lock", service.name));
    Seen { service: service.name, fits, newest, owner: is_owned(&url).then(|| owner(&lock)) }
}

async fn examine(service: &Service, url: &str) -> Result<Option<i64>, OpenError> {
    let database = ReadOnly::open(url).await?;
    database.admits(&(service.options)(url)).await?;
    let mut read = database.read(BUDGET).await?;
    let row = read.one("SELECT max(time_ms) AS newest FROM freehold_outbox", Vec::new()).await?;
    Ok(row.map(|row| row.get("newest")).transpose()?.flatten())
}

#[cfg(target_os = "linux")]
fn owner(lock: &Path) -> Owner {
    use std::os::unix::fs::MetadataExt;
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let process = fs::metadata(lock).ok().and_then(|file| holder(&locks, file.ino()));
    let Some(process) = process else { return Owner::Unknown };
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    Owner::Process(process, name.trim().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn owner(_: &Path) -> Owner {
    Owner::Unknown
}

/// The process that holds the lock of a file, by the lines of /proc/locks: "1: FLOCK ADVISORY WRITE 4711 fe:01:8912 0 EOF".
fn holder(locks: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", process, file, ..] = words[..] else { return None };
        (file.rsplit(':').next() == Some(inode.as_str())).then(|| process.parse().ok())?
    })
}

/// Whether each of them may be opened.
pub(crate) fn check(seen: &[Seen]) -> Vec<Verdict> {
    if seen.is_empty() {
        return vec![Verdict::ok("databases", "there are none yet")];
    }
    seen.iter().map(check_one).collect()
}

fn check_one(seen: &Seen) -> Verdict {
    let Seen { service, fits, owner, .. } = seen;
    match fits {
        Ok(()) => {
            Verdict::ok("databases", format!("{service}.db is of this version{}", opened(owner.as_ref())))
        }
        Err(error) => Verdict::wrong("databases", format!("{service}.db: {}", chain(error)), advice(error)),
    }
}

fn opened(owner: Option<&Owner>) -> String {
    match owner {
        None => ", and nobody has it open".to_owned(),
        Some(Owner::Unknown) => ", and open in some process".to_owned(),
        Some(Owner::Process(id, name)) => format!(", and open in process {id} ({name})"),
    }
}

fn advice(error: &OpenError) -> &'static str {
    match error {
        OpenError::OtherService { .. } => "put each file back under its own service's name",
        OpenError::NewerSchema { .. } | OpenError::ChangedMigration { .. } => {
            "run the program that wrote it, or another folder with --data"
        }
        OpenError::NotAStore(_) => "move the file away: it was not made by a mesh",
        OpenError::Database(StoreError::Corrupt(_)) => "restore it from a copy; it cannot be read",
        _ => "see to the file and its folder, then ask again",
    }
}

#[cfg(test)]
mod tests {
    use freehold_store::{Migration, Migrations, Options, Store};

    use super::*;
    use crate::doctor::verdict::State;

    static LATER: Migrations = Migrations {
        set: "later",
        steps: &[Migration {
            version: 1,
            name: "later",
            sql: "CREATE TABLE later (id TEXT PRIMARY KEY) STRICT;",
            postgres: None,
        }],
    };

    async fn only(folder: &Path) -> (Seen, Verdict) {
        let mut seen = look(folder).await;
        let verdict = check(&seen).remove(0);
        (seen.remove(0), verdict)
    }

    #[tokio::test]
    async fn a_database_of_this_program_is_fine_open_or_closed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(&look(folder.path()).await)[0].found, "there are none yet");
        let store = Store::open(users::options(&sqlite_url(folder.path(), "users"))).await.unwrap();
        let (seen, verdict) = only(folder.path()).await;
        assert_eq!(verdict.state, State::Ok, "{verdict:?}");
        assert!(seen.owner.is_some());
        if let Some(Owner::Process(id, _)) = seen.owner {
            assert_eq!(id, std::process::id());
        }
        store.close().await;
        let (seen, verdict) = only(folder.path()).await;
        assert_eq!((seen.owner, verdict.state), (None, State::Ok));
    }

    #[tokio::test]
    async fn a_database_of_another_service_or_version_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let url = sqlite_url(folder.path(), "users");
        Store::open(Options::new("orders", &url)).await.unwrap().close().await;
        let (_, other) = only(folder.path()).await;
        assert!(other.found.contains("belongs to `orders`, not to `users`"), "{other:?}");

        let folder = tempfile::tempdir().unwrap();
        let url = sqlite_url(folder.path(), "users");
        Store::open(users::options(&url).migrations(&LATER)).await.unwrap().close().await;
        let (_, newer) = only(folder.path()).await;
        assert!(newer.found.contains("it is newer") && newer.advice.contains("--data"), "{newer:?}");
        assert_eq!((other.state, newer.state), (State::Wrong, State::Wrong));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("users.db"), [7; 5000]).unwrap();
        assert_eq!(only(folder.path()).await.1.state, State::Wrong);
    }

    #[test]
    fn the_holder_of_a_lock_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 fe:01:8912 0 EOF\n\
                     2: FLOCK  ADVISORY  READ  12 fe:01:8912 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 13 fe:01:8912 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 14 fe:01:912 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 4711 fe:01:8912 0 EOF\n";
        assert_eq!(holder(locks, 8912), Some(4711));
        assert_eq!(holder(locks, 12), None);
        assert_eq!(holder("", 8912), None);
    }
}
