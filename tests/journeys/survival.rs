//! A demo ends well and `verify` finds nothing wrong: on every combination of engines, as one process and as separate ones,
//! with kill -9 of each process, and of the broker with and without what it stored, in the middle.
//!
//! Who dies next and after which event is drawn from a seed; the moments are those of the demo's progress, not of a clock.

use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use freehold_sdk::PORTS;
use freehold_testkit::{PATIENCE, Process, Scratch, eventually, rounds};
use serde_json::Value;

use crate::apart::Apart;
use crate::engines::{Engines, On};
use crate::mesh::{Ended, Up, finish, freehold, is_sound};
use crate::{faults, ports};

/// How many events orders tells from one death to the next, at most. A demo of 40 orders has about two hundred.
const STRETCH: i64 = 15;

/// How the services run.
#[derive(Debug, Clone, Copy)]
enum As {
    OneProcess,
    Processes,
}

/// Who is killed, and started again.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// The one process.
    Mesh,
    Service(&'static str),
    Broker,
    /// The broker, with all that it had stored.
    Stored,
}

#[tokio::test]
async fn one_process_on_sqlite_outlives_every_kill() {
    outlives(On::Sqlite, As::OneProcess).await;
}

#[tokio::test]
async fn processes_on_sqlite_outlive_every_kill() {
    outlives(On::Sqlite, As::Processes).await;
}

#[tokio::test]
async fn one_process_on_postgresql_outlives_every_kill() {
    outlives(On::Postgres, As::OneProcess).await;
}

#[tokio::test]
async fn processes_on_postgresql_outlive_every_kill() {
    outlives(On::Postgres, As::Processes).await;
}

#[tokio::test]
async fn one_process_on_sqlite_and_nats_outlives_every_kill() {
    outlives(On::SqliteAndNats, As::OneProcess).await;
}

#[tokio::test]
async fn one_process_on_postgresql_and_nats_outlives_every_kill() {
    outlives(On::PostgresAndNats, As::OneProcess).await;
}

#[tokio::test]
async fn processes_on_postgresql_and_nats_outlive_every_kill() {
    outlives(On::PostgresAndNats, As::Processes).await;
}

/// One demo after the other, until everybody has died in one; `cargo xtask test --rounds 20` kills everybody twenty times.
async fn outlives(on: On, form: As) {
    let scratch = Scratch::new("survival");
    let Some(mut engines) = Engines::start(scratch.path(), on).await else { return };
    let mut random = Rng::with_seed(faults::seed());
    let mut victims = victims(on, form, &mut random);
    let mut mesh = Mesh::start(scratch.path(), &engines, form).await;
    let mut demos = 0;
    while !victims.is_empty() {
        demos += 1;
        let mut demo = mesh.demo(demos);
        while let Some(victim) = victims.pop() {
            let moment = engines.events().await + random.i64(1..STRETCH);
            let in_the_middle = eventually("the moment, or the end of the demo", PATIENCE, async || {
                if demo.has_ended().is_some() {
                    return Some(false);
                }
                (engines.events().await >= moment).then_some(true)
            });
            if !in_the_middle.await {
                victims.push(victim);
                break;
            }
            println!("demo {demos}: {victim:?} dies after {moment} events");
            mesh.loses(victim, &mut engines).await;
        }
        let demo = finish(demo).await;
        assert_eq!(demo.code, Some(0), "{demo:#?}");
        is_sound(scratch.path()).await;
    }
    if on.has_nats() {
        mesh.has_published_all().await;
    }
    drop(mesh);
    is_sound(scratch.path()).await;
    assert_eq!(scratch.join("data/orders.db").exists(), !on.has_postgres(), "the data is where it was to be");
}

/// Everybody who can die, as often as there are rounds; the last one first.
fn victims(on: On, form: As, random: &mut Rng) -> Vec<Victim> {
    let mut all = match form {
        As::OneProcess => vec![Victim::Mesh, Victim::Mesh],
        As::Processes => PORTS.iter().map(|(service, _)| Victim::Service(service)).collect(),
    };
    if on.has_nats() {
        all.extend([Victim::Broker, Victim::Stored]);
    }
    let mut victims = all.repeat(usize::try_from(rounds(1)).unwrap());
    random.shuffle(&mut victims);
    victims
}

/// A mesh in either form.
enum Mesh {
    One { folder: PathBuf, port: u16, up: Up },
    Apart(Apart),
}

impl Mesh {
    async fn start(folder: &Path, engines: &Engines, form: As) -> Self {
        match form {
            As::Processes => Self::Apart(Apart::on(folder, engines).await),
            As::OneProcess => {
                let port = ports::of_a_mesh();
                Self::One { folder: folder.to_owned(), port, up: Up::on(folder, port, engines).await }
            }
        }
    }

    /// Kills somebody, and starts it again where it was.
    async fn loses(&mut self, victim: Victim, engines: &mut Engines) {
        match (victim, self) {
            (Victim::Mesh, Self::One { folder, port, up }) => {
                up.process.kill();
                *up = Up::on(folder, *port, engines).await;
            }
            (Victim::Service(service), Self::Apart(apart)) => {
                apart.kill(service);
                apart.begin(service);
                apart.is_healthy(service).await;
            }
            (Victim::Broker, _) => engines.broker().expect("there is one").restart().await,
            (Victim::Stored, _) => engines.broker().expect("there is one").restart_wiped().await,
            (victim, _) => unreachable!("{victim:?} is not of this mesh"),
        }
    }

    /// Begins to place orders, of its own for each seed.
    fn demo(&self, seed: u32) -> Process {
        let seed = seed.to_string();
        Process::start(&mut self.command(&["demo", "--orders", "40", "--workers", "8", "--seed", &seed]))
    }

    /// Waits until every owner that has emitted something has published it, and looks at how that is said.
    async fn has_published_all(&self) {
        let relays = eventually("the relays", PATIENCE, async || {
            let relays: Vec<Value> = self.run(&["relay", "status", "-o", "json"]).await.json();
            let owners = relays.iter().filter(|relay| relay["position"] != 0).count();
            (owners >= 4 && relays.iter().all(|relay| relay["behind"] == 0)).then_some(relays)
        })
        .await;
        assert!(relays.iter().all(|relay| relay["bus"] == "nats" && relay["problem"] == ""), "{relays:#?}");
        let text = self.run(&["relay", "status"]).await;
        assert!(text.stdout.starts_with("OWNER ") && text.stdout.contains("\norders "), "{text:#?}");
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        finish(Process::start(&mut self.command(arguments))).await
    }

    /// The command, which is told where the mesh is.
    fn command(&self, arguments: &[&str]) -> Command {
        match self {
            Self::One { folder, up, .. } => {
                freehold(folder, &[arguments, &["--mesh", &up.directory]].concat())
            }
            Self::Apart(apart) => apart.command(&[arguments, &["--mesh", "env"]].concat()),
        }
    }
}
