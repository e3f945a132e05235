//! A folder for what one test writes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Keeps the folders of tests that fail when it is set: a test that fails on purpose would fill the disk with them.
const KEEP: &str = "FREEHOLD_TEST_KEEP";

/// A new, empty folder, removed when it is dropped. With `FREEHOLD_TEST_KEEP` set, that of a test that fails is kept, and
/// named.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// Makes a folder whose name contains `name`.
    ///
    /// # Panics
    /// The folder cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        match tempfile::Builder::new().prefix(&format!("freehold-{name}-")).tempdir() {
            Ok(folder) => Self { folder },
            Err(error) => panic!("failed to make a folder for the test: {error}"),
        }
    }

    /// The same on a file system in memory, where this machine has one: for tests that ask nothing of a disk, and much of
    /// its speed.
    ///
    /// # Panics
    /// As [`Scratch::new`].
    #[must_use]
    pub fn in_memory(name: &str) -> Self {
        let prefix = format!("freehold-{name}-");
        match tempfile::Builder::new().prefix(&prefix).tempdir_in("/dev/shm") {
            Ok(folder) => Self { folder },
            Err(_none) => Self::new(name),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder; nothing is made.
    #[must_use]
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os(KEEP).is_some() {
            self.folder.disable_cleanup(true);
            eprintln!("kept for a look: {}", self.folder.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_test() {
        let scratch = Scratch::new("goes");
        std::fs::write(scratch.join("file"), "x").unwrap();
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_goes_with_a_test_that_fails() {
        let path = std::panic::catch_unwind(|| {
            let scratch = Scratch::new("fails");
            std::panic::panic_any(scratch.path().to_owned());
        })
        .unwrap_err()
        .downcast::<PathBuf>()
        .unwrap();
        assert_eq!(path.exists(), std::env::var_os(KEEP).is_some());
    }
}
