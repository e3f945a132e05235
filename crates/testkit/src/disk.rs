//! A disk whose power can be cut, and which can be full: a file system of its own in a file, shut down without a word to
//! what it still had in memory, or filled to its last block.
//!
//! What was not written through when it is cut is gone, as it is on a machine that loses power; killing a process loses
//! nothing of that kind. Needs root, a loop device, ext4 and Python, which alone reaches the call.
//! **Invariant:** nothing stays mounted behind its handle.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use crate::scratch::Scratch;

/// The number of FS_IOC_SHUTDOWN, and its flag that says that the log is not flushed either.
const SHUT_DOWN: &str = "import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
/// Set where tests may mount file systems.
const MAY: &str = "FREEHOLD_TEST_MOUNT";
/// What a mesh needs by far.
const BYTES: u64 = 256 << 20;
/// What one service needs.
const FEW_BYTES: u64 = 96 << 20;

/// A mounted disk.
#[derive(Debug)]
pub struct Disk {
    folder: Scratch,
}

impl Disk {
    /// Whether this run may mount file systems; where it may not, that is said.
    #[must_use]
    pub fn is_allowed() -> bool {
        let may = std::env::var_os(MAY).is_some();
        if !may {
            println!("not run: {MAY} is not set");
        }
        may
    }

    /// An empty disk.
    ///
    /// # Errors
    /// Why this machine has none: no right to mount, no loop device, a program that is missing.
    pub fn mount() -> Result<Self, String> {
        Self::of(BYTES)
    }

    /// An empty disk that is soon full.
    ///
    /// # Errors
    /// As [`Disk::mount`].
    pub fn mount_small() -> Result<Self, String> {
        Self::of(FEW_BYTES)
    }

    fn of(bytes: u64) -> Result<Self, String> {
        let disk = Self { folder: Scratch::new("disk") };
        let image = disk.folder.join("image");
        let made = File::create(&image).and_then(|file| file.set_len(bytes));
        made.and_then(|()| std::fs::create_dir(disk.path())).map_err(|error| error.to_string())?;
        run("python3", &["-c", "import fcntl"])?;
        run("mkfs.ext4", &["-q", "-F", &image.display().to_string()])?;
        disk.connect()?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join("mounted")
    }

    /// Cuts the power: from now on nothing is read or written.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn cut(&self) -> Result<(), String> {
        run("python3", &["-c", SHUT_DOWN, &self.path().display().to_string()])
    }

    /// The power is back: what was written through is there. Nobody may have a file of it open.
    ///
    /// # Errors
    /// It is still in use, or the machine refuses.
    pub fn restore(&self) -> Result<(), String> {
        run("umount", &[&self.path().display().to_string()])?;
        self.connect()
    }

    /// Fills it, as somebody else's files would: from now on nothing more is written, but into what is there.
    ///
    /// # Errors
    /// The file that fills it cannot be made.
    pub fn fill(&self) -> Result<(), String> {
        let mut ballast = File::create(self.ballast()).map_err(|error| error.to_string())?;
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
        Ok(())
    }

    /// There is room again.
    ///
    /// # Errors
    /// It was not filled.
    pub fn make_room(&self) -> Result<(), String> {
        std::fs::remove_file(self.ballast()).map_err(|error| error.to_string())
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    fn connect(&self) -> Result<(), String> {
        let (image, path) = (self.folder.join("image"), self.path());
        run("mount", &["-o", "loop", &image.display().to_string(), &path.display().to_string()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // One that was never mounted is not there to be taken away.
        let _ = run("umount", &["--lazy", &self.path().display().to_string()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let done = Command::new(program).args(arguments).output();
    let done = done.map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim()))
}
