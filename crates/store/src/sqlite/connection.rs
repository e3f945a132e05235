//! Opening SQLite connections: the one that writes, those that read, the one that looks before anything is touched.
//!
//! **Invariant:** the writer runs with WAL and synchronous=FULL, read back after they were set: what a commit has
//! acknowledged survives a power loss.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::lane::Lane;
use super::{checkpoint, errors};
use crate::error::StoreError;
use crate::open::OpenError;

/// The file that a url names.
pub(super) fn path_of(url: &str) -> Result<PathBuf, OpenError> {
    let rest = url.strip_prefix("sqlite:").ok_or_else(|| OpenError::Url(url.to_owned()))?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) {
        return Err(OpenError::Url(url.to_owned()));
    }
    Ok(PathBuf::from(path))
}

/// The connection that writes, a database of so many bytes at most.
pub(super) fn writer(path: &Path, most_bytes: Option<u64>) -> Result<Lane, OpenError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // What a savepoint undoes is kept in memory: it is a unit's, which ends in milliseconds. What is deleted is overwritten
    // where that costs no write of its own, so that what was erased is not in the file.
    let settings = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                    PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
                    PRAGMA secure_delete = FAST;";
    connection.execute_batch(settings).map_err(errors::of_statement)?;
    checkpoint::count(&connection);
    assert_durable(&connection)?;
    if let Some(bytes) = most_bytes {
        bound(&connection, bytes).map_err(errors::of_statement)?;
    }
    Ok(Lane::new(connection)?)
}

/// Lets the database grow to so many bytes; one that is larger already stays as it is.
fn bound(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = (bytes / u64::from(page)).clamp(1, u64::from(u32::MAX - 1));
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Lane, StoreError> {
    read_only(open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// A connection for a look at a database that nobody has open and that may turn out to be none of ours: not even the
/// files beside it are made. Where a crash has left commits in the WAL it is an ordinary reader, which can see them.
pub(super) fn looker(path: &Path) -> Result<Lane, StoreError> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    if Path::new(&wal).metadata().is_ok_and(|file| file.len() > 0) {
        return reader(path);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    read_only(open(Path::new(&immutable_uri(path)), flags)?)
}

fn read_only(connection: Connection) -> Result<Lane, StoreError> {
    // The last connection to be closed would checkpoint, which is writing.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(errors::of_statement)?;
    let settings = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";
    connection.execute_batch(settings).map_err(errors::of_statement)?;
    Lane::new(connection)
}

/// The file as a URI that says that nobody writes it.
fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri + "?immutable=1"
}

/// The connection that moves the WAL into the database.
pub(super) fn checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let settings = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;";
    connection.execute_batch(settings).map_err(errors::of_statement)?;
    Ok(connection)
}

/// Reads the settings back: another default, a file system without shared memory, a typo would silently lose commits.
fn assert_durable(connection: &Connection) -> Result<(), OpenError> {
    for (setting, wanted) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
        let found = connection
            .pragma_query_value(None, setting, |row| match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => Ok(number.to_string()),
                other => Ok(other.as_str()?.to_owned()),
            })
            .map_err(errors::of_statement)?;
        if found != wanted {
            return Err(OpenError::Durability {
                setting: setting.to_owned(),
                wanted: wanted.to_owned(),
                found,
            });
        }
    }
    Ok(())
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    Connection::open_with_flags(path, flags).map_err(errors::of_statement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file() {
        assert_eq!(path_of("sqlite:/a/b.db").unwrap(), Path::new("/a/b.db"));
        assert_eq!(path_of("sqlite:///a/b.db").unwrap(), Path::new("/a/b.db"));
        assert_eq!(path_of("sqlite:data/b.db").unwrap(), Path::new("data/b.db"));
        for url in ["", "sqlite:", "sqlite::memory:", "/a/b.db", "mysql://x", "sqlite:/a?mode=ro"] {
            assert!(matches!(path_of(url), Err(OpenError::Url(_))), "{url}");
        }
    }

    #[test]
    fn a_path_is_no_part_of_its_uris_parameters() {
        assert_eq!(
            immutable_uri(Path::new("/a b/ä?c#d%.db")),
            "file:/a%20b/%C3%A4%3Fc%23d%25.db?immutable=1"
        );
    }

    /// The planted bug is a connection whose settings nobody made durable.
    #[test]
    fn a_connection_that_could_lose_commits_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        for (planted, setting) in [
            ("PRAGMA synchronous = NORMAL", "synchronous"),
            ("PRAGMA journal_mode = MEMORY", "journal_mode"),
            ("PRAGMA foreign_keys = OFF", "foreign_keys"),
        ] {
            let connection = Connection::open(&path).unwrap();
            connection
                .execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
                )
                .unwrap();
            assert_durable(&connection).unwrap();
            connection.execute_batch(planted).unwrap();
            let refused = assert_durable(&connection).unwrap_err();
            assert!(
                matches!(refused, OpenError::Durability { setting: ref s, .. } if s == setting),
                "{refused}"
            );
        }
    }
}
