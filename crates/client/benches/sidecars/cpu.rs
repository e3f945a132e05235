//! The CPU time of threads and processes, from the kernel's own books in `/proc`, in nanoseconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whose time is taken.
#[derive(Clone)]
pub(crate) enum Watched {
    /// A thread of this process, by its folder.
    Thread(PathBuf),
    /// A process, its threads and its children.
    Process(u32),
}

impl Watched {
    /// The thread that calls this.
    pub(crate) fn this_thread() -> Self {
        Self::Thread(Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap()))
    }

    /// What it has spent so far.
    pub(crate) fn cpu(&self) -> Duration {
        match self {
            Self::Thread(folder) => spent(folder),
            Self::Process(id) => of_process(*id),
        }
    }
}

/// The time of the thread that calls this.
pub(crate) fn of_this_thread() -> Duration {
    spent(Path::new("/proc/thread-self"))
}

fn of_process(id: u32) -> Duration {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{id}/task")).unwrap() {
        let thread = thread.unwrap().path();
        sum += spent(&thread);
        let children = fs::read_to_string(thread.join("children")).unwrap();
        sum += children.split_whitespace().map(|child| of_process(child.parse().unwrap())).sum::<Duration>();
    }
    sum
}

fn spent(thread: &Path) -> Duration {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
