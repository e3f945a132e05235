//! A NATS server of a test's own, which can be killed, wiped and started again where it was; and what a mesh says of its bus.
//!
//! There is one where `FREEHOLD_TEST_NATS_SERVER` names the program, which `cargo xtask test --engines` finds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use freehold_testkit::{PATIENCE, Process, Scratch, eventually};

use crate::mesh::{finish, freehold};
use crate::ports;

/// The program of the server.
pub(crate) const SERVER: &str = "FREEHOLD_TEST_NATS_SERVER";
/// Tells a program of the mesh where the bus is.
pub(crate) const URL: &str = "FREEHOLD_BUS_URL";

#[tokio::test]
async fn a_bus_that_is_none_is_refused_at_the_start() {
    let scratch = Scratch::new("nats-none");
    let mut command = freehold(scratch.path(), &["up", "--port", "0", "--data", "data"]);
    let ended = finish(Process::start(command.env(URL, "kafka://secret@localhost"))).await;
    let said = ended.refusal(3);
    assert!(said.contains("failed to use the bus") && said.contains("`kafka` is no bus"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

/// A server of its own.
pub(crate) struct Broker {
    program: String,
    folder: PathBuf,
    address: String,
    url: String,
    process: Process,
}

impl Broker {
    /// Starts one over nothing, in a folder of the test's.
    pub(crate) async fn start(program: &str, scratch: &Path) -> Self {
        let folder = scratch.join("broker");
        fs::create_dir(&folder).unwrap();
        let address = format!("127.0.0.1:{}", ports::in_a_row(1));
        let store = folder.join("store").display().to_string();
        let settings =
            format!("listen: {address:?}\njetstream {{ store_dir: {store:?}, sync_interval: always }}\n");
        fs::write(folder.join("settings"), settings).unwrap();
        let process = Self::begin(program, &folder);
        let url = format!("nats://{address}");
        let broker = Self { program: program.to_owned(), folder, address, url, process };
        broker.answers().await;
        broker
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Killed, and started again over what it had stored.
    pub(crate) async fn restart(&mut self) {
        self.process.kill();
        self.process = Self::begin(&self.program, &self.folder);
        self.answers().await;
    }

    /// Killed, and started again over nothing.
    pub(crate) async fn restart_wiped(&mut self) {
        self.process.kill();
        fs::remove_dir_all(self.folder.join("store")).unwrap();
        self.restart().await;
    }

    fn begin(program: &str, folder: &Path) -> Process {
        Process::start(Command::new(program).arg("--config").arg(folder.join("settings")))
    }

    async fn answers(&self) {
        let connects = async || tokio::net::TcpStream::connect(&self.address).await.ok().map(drop);
        eventually("the broker", PATIENCE, connects).await;
    }
}
