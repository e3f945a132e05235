//! The same mesh over NATS JetStream: the broker killed, wiped and started again under it, the mesh killed too.
//!
//! Runs where `FREEHOLD_TEST_NATS_SERVER` names the program, which `cargo xtask test --engines` finds. Each broker is this
//! test's own, on a port that was free, so that it can come back where it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use freehold_testkit::{Process, Scratch, eventually};
use serde_json::Value;

use crate::mesh::{Ended, LONG, Up, finish, freehold, is_sound, run};
use crate::ports;
use crate::postgres;
use crate::records::Records;

/// The program of the server.
const SERVER: &str = "FREEHOLD_TEST_NATS_SERVER";
/// How many events there are between one mishap and the next.
const STRETCH: i64 = 400;

#[tokio::test]
async fn a_mesh_over_nats_survives_the_end_of_its_broker_its_stream_and_itself() {
    let Ok(program) = std::env::var(SERVER) else { return };
    let scratch = Scratch::new("nats");
    let mut broker = Broker::start(&program, scratch.path()).await;
    let port = ports::of_a_mesh();
    let mut up = broker.mesh(scratch.path(), port).await;
    let demo = Process::start(&mut demo(scratch.path(), &up, "1"));
    let records = Records::of(&scratch.join("data"));
    let reach = async |events: i64| {
        eventually("the moment", LONG, async || (records.events() >= events).then_some(())).await;
    };
    reach(STRETCH).await;
    broker = broker.killed().await;
    reach(2 * STRETCH).await;
    broker = broker.wiped().await;
    reach(3 * STRETCH).await;
    up.process.kill();
    up = broker.mesh(scratch.path(), port).await;
    let ended = finish(demo).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    is_sound(scratch.path()).await;
    all_is_published(scratch.path(), &up).await;
    up.process.kill();
    is_sound(scratch.path()).await;
}

/// The engines that a team grows into, together: databases on PostgreSQL, events over the broker, which ends in the middle.
#[tokio::test]
async fn a_mesh_on_postgresql_and_nats_survives_the_end_of_either_process() {
    let (Ok(program), Ok(server)) = (std::env::var(SERVER), std::env::var(postgres::SERVER)) else { return };
    let scratch = Scratch::new("nats-postgres");
    let made = postgres::Made::on(scratch.path(), &server).await;
    let mut broker = Broker::start(&program, scratch.path()).await;
    let port = ports::of_a_mesh();
    let mut up = broker.mesh(scratch.path(), port).await;
    for seed in ["1", "2"] {
        let demo = Process::start(&mut demo(scratch.path(), &up, seed));
        let status =
            async || run(scratch.path(), &["relay", "status", "--mesh", &up.directory, "-o", "json"]).await;
        let orders = async || status().await.json().iter().find(|relay| relay["owner"] == "orders").cloned();
        let position = async || orders().await.and_then(|orders| orders["position"].as_i64()).unwrap_or(0);
        let begun = position().await;
        eventually("the moment", LONG, async || (position().await > begun).then_some(())).await;
        if seed == "1" {
            broker = broker.killed().await;
        } else {
            up.process.kill();
            up = broker.mesh(scratch.path(), port).await;
        }
        let ended = finish(demo).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        is_sound(scratch.path()).await;
    }
    all_is_published(scratch.path(), &up).await;
    up.process.kill();
    is_sound(scratch.path()).await;
    drop(made);
}

/// Waits until every owner that has emitted something has published it, and shows how that is said.
async fn all_is_published(folder: &Path, up: &Up) {
    let status = async || run(folder, &["relay", "status", "--mesh", &up.directory, "-o", "json"]).await;
    let at_rest = async || {
        let relays: Vec<Value> = status().await.json();
        let owners = relays.iter().filter(|relay| relay["position"] != 0).count();
        (owners >= 4 && relays.iter().all(|relay| relay["behind"] == 0)).then_some(relays)
    };
    let relays = eventually("the relays", LONG, at_rest).await;
    assert!(relays.iter().all(|relay| relay["bus"] == "nats" && relay["problem"] == ""), "{relays:#?}");
    let text: Ended = run(folder, &["relay", "status", "--mesh", &up.directory]).await;
    assert!(text.stdout.starts_with("OWNER ") && text.stdout.contains("\norders "), "{text:#?}");
}

#[tokio::test]
async fn a_bus_that_is_none_is_refused_at_the_start() {
    let scratch = Scratch::new("nats-none");
    let mut command = freehold(scratch.path(), &["up", "--port", "0", "--data", "data"]);
    let ended = finish(Process::start(command.env("FREEHOLD_BUS_URL", "kafka://secret@localhost"))).await;
    let said = ended.refusal(3);
    assert!(said.contains("failed to use the bus") && said.contains("`kafka` is no bus"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

fn demo(folder: &Path, up: &Up, seed: &str) -> Command {
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "40", "--workers", "8", "--seed", seed];
    freehold(folder, &arguments)
}

/// A server of its own.
struct Broker {
    program: String,
    folder: PathBuf,
    url: String,
    process: Process,
}

impl Broker {
    async fn start(program: &str, scratch: &Path) -> Self {
        let folder = scratch.join("broker");
        fs::create_dir(&folder).unwrap();
        let port = ports::of_a_mesh();
        let store = folder.join("store");
        let settings = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: {:?}, sync_interval: always }}\n",
            store.display().to_string()
        );
        fs::write(folder.join("settings"), settings).unwrap();
        Self::on(program.to_owned(), folder, format!("nats://127.0.0.1:{port}")).await
    }

    async fn on(program: String, folder: PathBuf, url: String) -> Self {
        let mut server = Command::new(&program);
        server.arg("--config").arg(folder.join("settings"));
        let process = Process::start(&mut server);
        let address = url.trim_start_matches("nats://").to_owned();
        let answers = async || tokio::net::TcpStream::connect(&address).await.ok().map(drop);
        eventually("the broker", LONG, answers).await;
        Self { program, folder, url, process }
    }

    /// Killed, and started again over what it had stored.
    async fn killed(self) -> Self {
        let Self { program, folder, url, mut process } = self;
        process.kill();
        Self::on(program, folder, url).await
    }

    /// Killed, and started again over nothing.
    async fn wiped(self) -> Self {
        let Self { program, folder, url, mut process } = self;
        process.kill();
        fs::remove_dir_all(folder.join("store")).unwrap();
        Self::on(program, folder, url).await
    }

    /// A mesh that publishes to it and reads from it.
    async fn mesh(&self, folder: &Path, port: u16) -> Up {
        let mut command = freehold(folder, &["up", "--port", &port.to_string(), "--data", "data"]);
        command.env("FREEHOLD_BUS_URL", &self.url);
        Up::of(folder, command).await
    }
}
