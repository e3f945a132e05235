//! The folder of the databases: whether it can be written, and whether a lock in it keeps a second owner out.
//!
//! A folder that is not there yet is tried where it would be made. What is tried leaves nothing behind.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::doctor::verdict::Verdict;

/// What is seen of the folder.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) folder: PathBuf,
    /// Whether it is there.
    pub(crate) exists: bool,
    /// Why nothing can be made in it.
    pub(crate) refusal: Option<String>,
}

/// What is seen of locks in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locks {
    /// The second of two was refused.
    Exclude,
    /// Both were given.
    Ignored,
    /// None was given.
    Refused,
}

/// Makes a folder for trials in the folder, or where it would be made.
pub(crate) fn look(folder: &Path) -> (Seen, Option<TempDir>) {
    let exists = folder.exists();
    let made = scratch(folder);
    let refusal = made.as_ref().err().map(ToString::to_string);
    (Seen { folder: folder.to_owned(), exists, refusal }, made.ok())
}

fn scratch(folder: &Path) -> io::Result<TempDir> {
    let absolute = std::path::absolute(folder)?;
    let there = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(&absolute);
    tempfile::Builder::new().prefix(".freehold-doctor-").tempdir_in(there)
}

/// Takes a lock twice, as two owners of one database would.
pub(crate) fn try_locks(scratch: &Path) -> Locks {
    let path = scratch.join("lock");
    let (Ok(first), Ok(second)) = (File::create(&path), File::create(&path)) else { return Locks::Refused };
    match (first.try_lock(), second.try_lock()) {
        (Ok(()), Err(TryLockError::WouldBlock)) => Locks::Exclude,
        (Ok(()), Ok(())) => Locks::Ignored,
        _ => Locks::Refused,
    }
}

/// Whether databases can be kept there.
pub(crate) fn check(seen: &Seen) -> Verdict {
    let folder = seen.folder.display();
    match (&seen.refusal, seen.exists) {
        (Some(refusal), _) => {
            let advice = "give it to whoever runs the mesh, or choose another with --data";
            Verdict::wrong("data", format!("{folder} cannot be written: {refusal}"), advice)
        }
        (None, true) => Verdict::ok("data", format!("{folder} can be written")),
        (None, false) => Verdict::ok("data", format!("{folder} is not there yet and can be made")),
    }
}

/// Whether a database has one owner there.
pub(crate) fn check_locks(locks: Locks) -> Verdict {
    let advice = "keep the databases on a local disk: over this file system two processes could write one";
    match locks {
        Locks::Exclude => Verdict::ok("locks", "a second owner of a database is kept out"),
        Locks::Ignored => Verdict::wrong("locks", "the file system gives one lock to two owners", advice),
        Locks::Refused => Verdict::wrong("locks", "the file system gives no locks", advice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::verdict::State;

    #[test]
    fn a_folder_is_fine_where_it_can_be_written_or_made() {
        let place = tempfile::tempdir().unwrap();
        for folder in [place.path().to_owned(), place.path().join("a/b")] {
            let (seen, scratch) = look(&folder);
            assert_eq!(check(&seen).state, State::Ok, "{seen:?}");
            assert_eq!(try_locks(scratch.unwrap().path()), Locks::Exclude);
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused_with_what_to_do() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data");
        std::fs::write(&file, "").unwrap();
        let (seen, scratch) = look(&file);
        let verdict = check(&seen);
        assert!(scratch.is_none());
        assert_eq!(verdict.state, State::Wrong);
        assert!(
            verdict.found.contains("data cannot be written: ") && verdict.advice.contains("--data"),
            "{verdict:?}"
        );
    }

    #[test]
    fn a_file_system_without_locks_is_refused() {
        assert_eq!(check_locks(Locks::Exclude).state, State::Ok);
        for locks in [Locks::Ignored, Locks::Refused] {
            assert_eq!(check_locks(locks).state, State::Wrong);
        }
    }
}
