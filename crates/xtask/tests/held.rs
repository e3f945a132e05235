//! The process between a chore and the program that it needs: whatever ends the chore, it stops the program.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Bounds a test that fails; decides nothing about one that passes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A keeper of `script` that has got as far as writing the file `ready` in its folder.
struct Keeper {
    process: Child,
    folder: PathBuf,
}

impl Keeper {
    fn start(name: &str, script: &str) -> Self {
        Self::start_into(Stdio::null(), name, script)
    }

    fn start_into(output: Stdio, name: &str, script: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("freehold-held-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let process = keeper(&folder, script).stdin(Stdio::piped()).stdout(output).spawn().unwrap();
        wait_for(&folder.join("ready"));
        Self { process, folder }
    }

    /// Closes the pipe, as the end of the chore does, and waits for the keeper.
    fn release(mut self) -> PathBuf {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
        self.folder
    }
}

/// A shell cannot trap what it was started to ignore, as what runs in the background is: these hear an interrupt.
fn keeper(folder: &Path, script: &str) -> Command {
    let mut keeper = Command::new("env");
    keeper
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_xtask"), "hold"])
        .arg(folder)
        .args(["-", "sh", "-c", script])
        .current_dir(folder);
    keeper
}

/// Reads until the file has its line.
fn wait_for(file: &Path) -> String {
    let end = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < end, "{} is not written", file.display());
        match fs::read_to_string(file) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => std::thread::yield_now(),
        }
    }
}

fn is_alive(process: &str) -> bool {
    Command::new("sh").args(["-c", "kill -s 0 \"$0\" 2> /dev/null", process]).status().unwrap().success()
}

#[test]
fn a_program_ends_with_its_chore_and_its_folder_goes() {
    let keeper = Keeper::start("ends", "echo $$ > ready; exec tail -f /dev/null");
    let process = wait_for(&keeper.folder.join("ready"));
    assert!(is_alive(&process));
    let folder = keeper.release();
    assert!(!is_alive(&process));
    assert!(!folder.exists());
}

#[test]
fn a_program_is_asked_to_stop_before_it_is_killed() {
    let outside = std::env::temp_dir().join(format!("freehold-held-asked-{}-said", std::process::id()));
    let script = format!(
        "trap 'echo asked > {}; exit' INT; tail -f /dev/null & echo x > ready; wait",
        outside.display()
    );
    Keeper::start("asked", &script).release();
    assert_eq!(wait_for(&outside), "asked");
    fs::remove_file(outside).unwrap();
}

#[test]
fn what_a_program_has_started_ends_with_it() {
    let (mut output, theirs) = io::pipe().unwrap();
    let keeper = Keeper::start_into(theirs.into(), "children", "tail -f /dev/null & echo x > ready; wait");
    let (ended, has_ended) = mpsc::channel();
    // The pipe ends when the last process that holds it does; a process id would stay until somebody asks for it.
    std::thread::spawn(move || ended.send(output.read_to_end(&mut Vec::new()).unwrap()));
    keeper.release();
    assert_eq!(has_ended.recv_timeout(DEADLINE), Ok(0));
}

#[test]
fn a_program_that_ends_by_itself_leaves_its_folder_for_the_chore_to_read() {
    let folder = std::env::temp_dir().join(format!("freehold-held-itself-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let mut process = keeper(&folder, "echo why > log; exit 3").stdin(Stdio::piped()).spawn().unwrap();
    // `wait` would close the pipe first.
    let pipe = process.stdin.take();
    assert!(!process.wait().unwrap().success());
    drop(pipe);
    assert_eq!(wait_for(&folder.join("log")), "why");
    fs::remove_dir_all(folder).unwrap();
}
