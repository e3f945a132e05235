//! A program that a test starts, talks to and kills.
//!
//! Its output goes to files, so that nothing of it is lost when it dies and no pipe can fill up. Signals are sent to its
//! process id alone. **Invariant:** it does not outlive its handle.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::eventually;

/// A signal that a test sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// What Ctrl-C sends.
    Interrupt,
    /// What an orchestrator sends.
    Terminate,
    /// Freezes the program: it keeps its sockets and does nothing.
    Stop,
    /// Thaws it.
    Continue,
}

/// A running program; killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: TempDir,
}

impl Process {
    /// Starts `command` with no standard input.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        match spawn(command) {
            Ok((child, output)) => Self { child, output },
            Err(error) => panic!("failed to start {}: {error}", command.get_program().display()),
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far on standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.printed("stdout")
    }

    /// What it has printed so far on standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.printed("stderr")
    }

    fn printed(&self, name: &str) -> String {
        fs::read(self.output.path().join(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until it has written `file`, its ready file, and returns what is in it. A file that exists and is empty is
    /// one that is being written.
    ///
    /// # Panics
    /// It ended before, or the deadline passed; the message has its output.
    pub async fn ready(&mut self, file: &Path, deadline: Duration) -> String {
        let ready =
            eventually("the ready file or the end", deadline, async || match fs::read_to_string(file) {
                Ok(text) if !text.is_empty() => Some(Some(text)),
                _ => self.has_ended().map(|_| None),
            });
        match ready.await {
            Some(text) => text,
            None => panic!("ended before it was ready\n{}", self.report()),
        }
    }

    /// Its exit status, if it has ended.
    ///
    /// # Panics
    /// The system does not say.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .unwrap_or_else(|error| panic!("failed to ask for process {}: {error}", self.child.id()))
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// The deadline passed.
    pub async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        eventually("the end of the process", deadline, async || self.has_ended()).await
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// It has ended already.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Interrupt => "INT",
            Signal::Terminate => "TERM",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        // The shell's own `kill`: the standard library sends KILL alone.
        let shell =
            Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &self.id().to_string()]).status();
        assert!(shell.is_ok_and(|status| status.success()), "failed to send {name} to process {}", self.id());
    }

    /// Kills it, as the kernel or a power cut would, and waits until it is gone. Nothing of it runs any more.
    ///
    /// # Panics
    /// The system refuses.
    #[track_caller]
    pub fn kill(&mut self) {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        assert!(killed.is_ok(), "failed to kill process {}: {killed:?}", self.id());
    }

    /// Everything it printed, for a message.
    #[must_use]
    pub fn report(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout(), self.stderr())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already is what is wanted.
        let gone: io::Result<()> = self.child.kill().and_then(|()| self.child.wait().map(drop));
        if let Err(error) = gone {
            eprintln!("failed to kill process {}: {error}", self.child.id());
        }
        if std::thread::panicking() {
            eprintln!("{}", self.report());
        }
    }
}

fn spawn(command: &mut Command) -> io::Result<(Child, TempDir)> {
    let output = tempfile::tempdir()?;
    let file = |name: &str| File::create(output.path().join(name));
    let child = command.stdin(Stdio::null()).stdout(file("stdout")?).stderr(file("stderr")?).spawn()?;
    Ok((child, output))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, folder: &TempDir) -> Process {
        Process::start(Command::new("sh").args(["-c", script]).current_dir(folder.path()))
    }

    #[tokio::test]
    async fn a_program_that_gets_ready_says_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo up; echo '{}' > ready; exec tail -f /dev/null", &folder);
        assert_eq!(process.ready(&folder.path().join("ready"), LONG).await, "{}\n");
        assert_eq!(process.stdout(), "up\n");
        assert_eq!(process.has_ended(), None);
    }

    #[tokio::test]
    #[should_panic(expected = "no port left")]
    async fn a_program_that_ends_before_it_is_ready_fails_with_its_output() {
        let folder = tempfile::tempdir().unwrap();
        shell("echo 'no port left' >&2", &folder).ready(&folder.path().join("ready"), LONG).await;
    }

    #[tokio::test]
    async fn a_killed_program_is_gone_and_its_output_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut process =
            shell("trap '' INT TERM; echo first; echo x > ready; exec tail -f /dev/null", &folder);
        process.ready(&folder.path().join("ready"), LONG).await;
        process.kill();
        assert_eq!(process.has_ended().and_then(|status| status.signal()), Some(9));
        assert_eq!(process.stdout(), "first\n");
    }

    #[tokio::test]
    async fn a_signal_reaches_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut process =
            shell("trap 'kill $!; exit 7' TERM; tail -f /dev/null & echo x > ready; wait", &folder);
        process.ready(&folder.path().join("ready"), LONG).await;
        process.signal(Signal::Stop);
        process.signal(Signal::Terminate);
        process.signal(Signal::Continue);
        assert_eq!(process.ended(LONG).await.code(), Some(7));
    }

    #[tokio::test]
    async fn a_program_does_not_outlive_its_handle() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo x > ready; exec tail -f /dev/null", &folder);
        process.ready(&folder.path().join("ready"), LONG).await;
        let id = process.id().to_string();
        drop(process);
        let alive = Command::new("sh").args(["-c", "kill -s 0 \"$0\" 2>/dev/null", &id]).status().unwrap();
        assert!(!alive.success());
    }
}
