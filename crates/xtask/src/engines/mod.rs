//! A real PostgreSQL for one run of the tests.
//!
//! A cluster of its own in a temporary folder, on a free port of the loopback and with a password that lives as long as
//! it does. It writes through (fsync stays on), because the store refuses an engine that does not, and it ends with us.

pub(crate) mod find;
pub(crate) mod nats;
pub(crate) mod servers;

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::arguments::User;
use crate::held::{Held, NotReady};
use crate::repository::NotStarted;
use find::{FindError, Programs, find_or_install};

/// Where tests look for the server.
pub(crate) const URL: &str = "FREEHOLD_TEST_POSTGRES_URL";
/// Tells suites that run on one engine at a time which: `postgres`, or SQLite where it is not set.
pub(crate) const ENGINE: &str = "FREEHOLD_TEST_ENGINE";

/// How long a cluster may take to be made and to accept connections.
const START: Duration = Duration::from_secs(120);

/// How often another port is tried, should someone else take the free one first.
const ATTEMPTS: usize = 5;

/// `$1` initdb, `$2` the cluster, `$3` the file with the password, `$4` its collation, then the server and its arguments.
/// The server takes the place of the shell, so that one process id stands for all of it.
const SCRIPT: &str = r#"
"$1" --pgdata="$2" --pwfile="$3" --username=freehold --auth=password --encoding=UTF8 --locale=C $4 --no-sync || exit
shift 4
exec "$@"
"#;

/// Sorts text as English does. Servers out there do so, and SQLite does not: what relies on bytes has to say so.
const ENGLISH: &str = "--locale-provider=icu --icu-locale=en-US";

/// A server that is stopped, and removed, when this is dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    url: String,
    version: String,
    log: PathBuf,
    _held: Held,
}

/// There is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// None is installed.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Its folder cannot be made.
    #[error("make a folder for PostgreSQL")]
    Folder(#[source] io::Error),
    /// It does not run as root, and there is no other user.
    #[error("find a user to run PostgreSQL as: /etc/passwd has neither `postgres` nor `nobody`")]
    NoUser,
    /// There is no port for it.
    #[error("find a free port for PostgreSQL")]
    NoPort(#[source] io::Error),
    /// The shell that starts it did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// It ended, or did not accept connections in time.
    #[error("start PostgreSQL: {reason}; its log:\n{log}")]
    NotReady { reason: &'static str, log: String },
}

impl Postgres {
    /// Finds or installs a PostgreSQL and starts a cluster of its own.
    pub(crate) fn start() -> Result<Self, EngineError> {
        let programs = find_or_install()?;
        let mut attempt = 1;
        loop {
            match Self::start_on_free_port(&programs) {
                Err(EngineError::NotReady { log, .. }) if attempt < ATTEMPTS && port_was_taken(&log) => {
                    attempt += 1
                }
                other => return other,
            }
        }
    }

    fn start_on_free_port(programs: &Programs) -> Result<Self, EngineError> {
        let (folder, user) = make_folder()?;
        let password = password();
        write_password(&folder, &password, user).map_err(EngineError::Folder)?;
        let port = free_port().map_err(EngineError::NoPort)?;
        let log = folder.join("log");
        let mut held = Held::start(&server(programs, &folder, port), &folder, &log, user)?;
        held.wait_until(START, || accepts_connections(&folder)).map_err(|not_ready| {
            EngineError::NotReady {
                reason: if not_ready == NotReady::Ended { "it ended" } else { "it is not ready in time" },
                log: fs::read_to_string(&log).unwrap_or_default(),
            }
        })?;
        let url = format!("postgres://freehold:{password}@127.0.0.1:{port}/postgres");
        Ok(Self { url, version: programs.version.clone(), log, _held: held })
    }

    /// What tests connect to: `postgres://user:password@host:port/postgres`, as superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// "15.18".
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// How many databases and schemas tests have made in it: none means that nothing was tested on it.
    pub(crate) fn databases_made(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let made = |line: &&str| line.contains("CREATE DATABASE") || line.contains("CREATE SCHEMA");
        log.lines().filter(made).count()
    }
}

/// A new folder that nobody else can read, and whom it belongs to when that is not us.
fn make_folder() -> Result<(PathBuf, Option<User>), EngineError> {
    let folder = std::env::temp_dir().join(format!("freehold-postgres-{:x}", random()));
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(EngineError::Folder)?;
    let we_are_root = fs::metadata(&folder).map_err(EngineError::Folder)?.uid() == 0;
    if !we_are_root {
        return Ok((folder, None));
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = unprivileged(&passwd).ok_or(EngineError::NoUser)?;
    chown(&folder, Some(user.uid), Some(user.gid)).map_err(EngineError::Folder)?;
    Ok((folder, Some(user)))
}

/// The user `postgres`, or else `nobody`.
fn unprivileged(passwd: &str) -> Option<User> {
    ["postgres", "nobody"].iter().find_map(|wanted| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, uid, gid) = (fields.next()?, fields.nth(1)?, fields.next()?);
            (name == *wanted).then_some(User { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
        })
    })
}

fn write_password(folder: &Path, password: &str, user: Option<User>) -> io::Result<()> {
    let path = folder.join("password");
    let file = fs::File::options().write(true).create_new(true).mode(0o600).open(&path)?;
    io::Write::write_all(&mut &file, password.as_bytes())?;
    match user {
        Some(user) => chown(&path, Some(user.uid), Some(user.gid)),
        None => Ok(()),
    }
}

fn server(programs: &Programs, folder: &Path, port: u16) -> Command {
    let mut shell = Command::new("sh");
    shell.env("LC_ALL", "C").current_dir(folder).args(["-c", SCRIPT, "postgres"]);
    shell.arg(&programs.initdb).arg(folder.join("cluster")).arg(folder.join("password"));
    shell.arg(if programs.has_collation_providers() { ENGLISH } else { "" });
    shell.arg(&programs.postgres).arg("-D").arg(folder.join("cluster"));
    for setting in [
        "listen_addresses=127.0.0.1",
        &format!("port={port}"),
        &format!("unix_socket_directories={}", folder.display()),
        // Several meshes at once, each of ninety connections, and for a moment those of processes that were killed.
        "max_connections=1000",
        // A transaction that is prepared is one of the cases.
        "max_prepared_transactions=16",
        "log_statement=ddl",
    ] {
        shell.args(["-c", setting]);
    }
    shell
}

/// Whether the server says so itself, on the eighth line of its pid file, where `pg_ctl` looks too.
fn accepts_connections(folder: &Path) -> bool {
    let state = fs::read_to_string(folder.join("cluster/postmaster.pid")).unwrap_or_default();
    state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

fn port_was_taken(log: &str) -> bool {
    log.contains("Address already in use")
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn password() -> String {
    format!("{:016x}{:016x}", random(), random())
}

/// Each `RandomState` has keys from the system's random numbers.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_preferred_to_nobody() {
        let passwd =
            "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\npostgres:x:105:110::/:/bin/bash\n";
        assert_eq!(unprivileged(passwd), Some(User { uid: 105, gid: 110 }));
        assert_eq!(unprivileged("nobody:x:9:8::/:/bin/sh"), Some(User { uid: 9, gid: 8 }));
        assert_eq!(unprivileged("root:x:0:0::/:/bin/sh"), None);
    }

    #[test]
    fn two_passwords_differ() {
        assert_ne!(password(), password());
        assert_eq!(password().len(), 32);
    }
}
