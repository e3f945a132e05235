//! A program that runs for as long as a chore needs it, and never longer.
//!
//! Between the chore and the program stands a second process of ours, in a process group of its own, that reads its
//! standard input. When the chore ends, whether it returns, panics, is interrupted or killed, that pipe closes, and the
//! second process stops the program and removes its folder. **Invariant:** no end of the chore leaves the program running.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::arguments::{HoldOrder, User};
use crate::repository::NotStarted;

/// How often to look.
const POLL: Duration = Duration::from_millis(20);
/// How long a program has between being asked to stop and being killed.
const GRACE: Duration = Duration::from_secs(20);

/// A program that is kept running until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    keeper: Child,
    folder: PathBuf,
}

/// Why a program did not get ready.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// It ended before.
    Ended,
    /// It took longer than this.
    Late(Duration),
}

impl Held {
    /// Starts `program`, as `user` if there is one, with its output appended to the file `log`. `folder` is removed when
    /// it is let go.
    ///
    /// # Errors
    /// The log cannot be opened, or our own second process does not start. A program that does not start is one that has
    /// ended, and its log says why.
    pub(crate) fn start(
        program: &Command,
        folder: &Path,
        log: &Path,
        user: Option<User>,
    ) -> Result<Self, NotStarted> {
        let refused = |source| NotStarted::new(program, source);
        let output = fs::File::options().create(true).append(true).open(log).map_err(refused)?;
        let mut keeper = Command::new(std::env::current_exe().map_err(refused)?);
        keeper.arg("hold").arg(folder).arg(user.map_or_else(|| "-".to_owned(), |user| user.to_string()));
        keeper.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => keeper.env(name, value),
                None => keeper.env_remove(name),
            };
        }
        if let Some(directory) = program.get_current_dir() {
            keeper.current_dir(directory);
        }
        keeper.process_group(0).stdin(Stdio::piped());
        keeper.stdout(output.try_clone().map_err(refused)?).stderr(output);
        Ok(Self { keeper: keeper.spawn().map_err(refused)?, folder: folder.to_owned() })
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// The program ended before, or the deadline passed.
    pub(crate) fn wait_until(
        &mut self,
        deadline: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), NotReady> {
        let end = Instant::now() + deadline;
        while !ready() {
            if self.has_ended() {
                return Err(NotReady::Ended);
            }
            if Instant::now() >= end {
                return Err(NotReady::Late(deadline));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Whether the program has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.keeper.try_wait(), Ok(None))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("warning: failed to wait for the end of process {}: {error}", self.keeper.id());
        }
        remove(&self.folder);
    }
}

/// A program could not be held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HoldError {
    /// The order names none.
    #[error("hold a program: none is named")]
    NoProgram,
    /// It did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// The system does not say whether it has ended.
    #[error("learn whether the program has ended")]
    Unknown(#[from] io::Error),
}

/// The second process: runs the program until it ends or standard input closes; whether it ended well by itself.
pub(crate) fn hold(order: &HoldOrder) -> Result<bool, HoldError> {
    let (program, arguments) = order.program.split_first().ok_or(HoldError::NoProgram)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    if let Some(user) = order.user {
        command.uid(user.uid).gid(user.gid);
    }
    let mut child = command.spawn().map_err(|source| NotStarted::new(&command, source))?;
    let released = release();
    loop {
        if let Some(status) = child.try_wait()? {
            // Its folder stays for the chore, which reads in it why.
            signal_group("KILL", child.id());
            return Ok(status.success());
        }
        if released.recv_timeout(POLL) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    stop(&mut child)?;
    remove(&order.folder);
    Ok(true)
}

/// A receiver that disconnects when standard input closes.
fn release() -> Receiver<()> {
    let (open, released) = mpsc::channel();
    thread::spawn(move || {
        let _open = open;
        let mut ignored = [0; 64];
        while matches!(io::stdin().read(&mut ignored), Ok(1..)) {}
    });
    released
}

/// Asks the program's group to stop, and kills what has not done so in time.
fn stop(child: &mut Child) -> io::Result<()> {
    let group = child.id();
    signal_group("INT", group);
    let end = Instant::now() + GRACE;
    while child.try_wait()?.is_none() && Instant::now() < end {
        thread::sleep(POLL);
    }
    signal_group("KILL", group);
    child.wait().map(drop)
}

/// Sends a signal by the shell's own `kill`: the standard library can send none but KILL, and to no group.
fn signal_group(signal: &str, group: u32) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s \"$0\" -- \"-$1\"", signal, &group.to_string()]);
    // An empty group is what is wanted, so a refusal says nothing.
    drop(shell.stderr(Stdio::null()).status());
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            eprintln!("warning: failed to remove {}: {error}", folder.display());
        }
        _ => {}
    }
}
