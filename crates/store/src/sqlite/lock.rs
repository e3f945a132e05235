//! One owner at a time: a lock file beside the database, held while the store is open.
//!
//! The operating system gives it free when the process dies, however it dies. The file itself stays.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::open::OpenError;

/// Who only looks whether the lock is taken, has it for an instant; an owner has it for longer than these.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// Takes the lock of a database, making its folder where it is missing.
pub(super) fn take(database: &Path) -> Result<File, OpenError> {
    let path = path(database);
    let failed = |source| OpenError::File { path: path.display().to_string(), source };
    if let Some(folder) = database.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Err(OpenError::Owned(database.display().to_string()))
}

/// Whether somebody has the lock of a database.
pub(crate) fn is_locked(database: &Path) -> bool {
    let file = File::open(path(database));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Beside the file itself, whichever links lead to it.
fn path(database: &Path) -> PathBuf {
    let mut name = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()).into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}
