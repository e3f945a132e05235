//! One owner at a time: a lock file beside the database, held while the store is open.
//!
//! The operating system gives it free when the process dies, however it dies. The file itself stays.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::open::OpenError;

/// Takes the lock of a database, making its folder where it is missing.
pub(super) fn take(database: &Path) -> Result<File, OpenError> {
    let path = path(database);
    let failed = |source| OpenError::File { path: path.display().to_string(), source };
    if let Some(folder) = database.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Owned(database.display().to_string())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Whether somebody has the lock of a database.
pub(crate) fn is_locked(database: &Path) -> bool {
    let file = File::open(path(database));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
