//! A PostgreSQL whose files are on a disk of the test's: one that loses its power, or is full.
//!
//! It runs as a user of its own, since it refuses to run as root, who alone may mount.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use freehold_testkit::{PATIENCE, Process, eventually};

use crate::ports;

/// The folder of its programs.
const PROGRAMS: &str = "FREEHOLD_TEST_POSTGRES_PROGRAMS";

/// The folder of its programs, where this run has one.
pub(crate) fn programs() -> Option<PathBuf> {
    let said = std::env::var_os(PROGRAMS).map(PathBuf::from);
    if said.is_none() {
        println!("not run: {PROGRAMS} is not set");
    }
    said
}

/// A server.
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    setting: &'static str,
    user: (u32, u32),
    process: Option<Process>,
}

impl Server {
    /// One over nothing, with a setting.
    pub(crate) async fn make(programs: &Path, disk: &Path, setting: &'static str) -> Self {
        let user = unprivileged();
        let folder = disk.join("server");
        fs::create_dir(&folder).unwrap();
        chown(&folder, Some(user.0), Some(user.1)).unwrap();
        // The folder that the disk is mounted in is the test's alone.
        fs::set_permissions(disk.parent().unwrap(), Permissions::from_mode(0o711)).unwrap();
        let port = ports::in_a_row(1);
        let mut server = Self { programs: programs.to_owned(), folder, port, setting, user, process: None };
        // A journal of small files: the disk is small.
        let options =
            ["--username=freehold", "--auth=trust", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"];
        let made = server.program("initdb").args(options).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert!(server.begin().await, "a new server starts");
        server
    }

    /// Where it is, as somebody who may do everything there.
    pub(crate) fn url(&self) -> String {
        format!("postgres://freehold@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it over what is there; whether it does.
    pub(crate) async fn begin(&mut self) -> bool {
        let said = self.folder.join("cluster/postmaster.pid");
        // What the one before has left, which was killed.
        let _ = fs::remove_file(&said);
        let mut program = self.program("postgres");
        let port = format!("port={}", self.port);
        let small = ["max_wal_size=64MB", "min_wal_size=2MB", "max_connections=300"];
        let place = ["listen_addresses=127.0.0.1", &port, "unix_socket_directories=", self.setting];
        for setting in small.into_iter().chain(place) {
            program.args(["-c", setting]);
        }
        let mut process = Process::start(&mut program);
        let ready = eventually("the server, or its end", PATIENCE, async || {
            let state = fs::read_to_string(&said).unwrap_or_default();
            let is_ready = state.lines().nth(7).is_some_and(|line| line.trim() == "ready");
            is_ready.then_some(true).or(process.has_ended().map(|_| false))
        })
        .await;
        self.process = Some(process);
        ready
    }

    /// Whether it is gone.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| process.has_ended().is_some())
    }

    /// Kills it; those that it has started end by themselves.
    pub(crate) fn kill(&mut self) {
        drop(self.process.take());
    }

    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.programs.join(name));
        program.arg("-D").arg(self.folder.join("cluster")).env("LC_ALL", "C").current_dir(&self.folder);
        program.uid(self.user.0).gid(self.user.1);
        program
    }
}

/// The ids of the user and the group `postgres`, or else of `nobody`.
fn unprivileged() -> (u32, u32) {
    let id = |which: &str, name: &str| {
        let said = Command::new("id").args([which, name]).output().unwrap();
        String::from_utf8_lossy(&said.stdout).trim().parse().ok()
    };
    let ids = ["postgres", "nobody"].iter().find_map(|name| id("-u", name).zip(id("-g", name)));
    ids.expect("a user to run PostgreSQL as")
}
