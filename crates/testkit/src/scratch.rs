//! A folder for what one test writes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A new, empty folder; removed when it is dropped, kept and named when that is because the test fails.
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
        if std::thread::panicking() {
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
    fn the_folder_of_a_failed_test_stays() {
        let path = std::panic::catch_unwind(|| {
            let scratch = Scratch::new("stays");
            std::panic::panic_any(scratch.path().to_owned());
        })
        .unwrap_err()
        .downcast::<PathBuf>()
        .unwrap();
        assert!(path.exists());
        std::fs::remove_dir(*path).unwrap();
    }
}
