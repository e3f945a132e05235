//! The same mesh on PostgreSQL: databases made by one command, the same workload, the same checks, kill -9 in the middle.
//!
//! Runs where `FREEHOLD_TEST_POSTGRES_URL` names a server, which `cargo xtask test --engines` starts.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use freehold_server::databases::Databases;
use freehold_store::ReadOnly;
use freehold_testkit::{Process, Scratch, eventually};

use crate::mesh::{Ended, LONG, Up, finish, freehold, is_sound, run};
use crate::ports;

/// A server on which databases and roles may be made.
pub(crate) const SERVER: &str = "FREEHOLD_TEST_POSTGRES_URL";
/// How many events of orders there are when the mesh is killed in the middle of a demo of forty orders.
const MIDDLE: i64 = 60;

#[tokio::test]
async fn a_mesh_on_postgresql_that_is_killed_loses_nothing_and_doubles_nothing() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let scratch = Scratch::new("postgres");
    let made = Made::on(scratch.path(), &server).await;
    let port = ports::of_a_mesh();
    let mut up = Up::at(scratch.path(), port).await;
    let demo = demo(scratch.path(), &up, "1");
    let databases = Databases::of(&scratch.join("data")).unwrap();
    eventually("the middle of the demo", LONG, async || (events(&databases).await >= MIDDLE).then_some(()))
        .await;
    let connections = connections(&databases).await;
    assert!((1..=10).contains(&connections), "orders has {connections} connections");
    up.process.kill();
    let mut up = Up::at(scratch.path(), port).await;
    let ended = finish(demo).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    is_sound(scratch.path()).await;

    let again = finish(self::demo(scratch.path(), &up, "2")).await;
    assert_eq!(again.code, Some(0), "{again:#?}");
    is_sound(scratch.path()).await;
    up.process.kill();
    is_sound(scratch.path()).await;
    assert!(!scratch.join("data/orders.db").exists(), "nothing of it is in files");
    drop(made);
}

#[tokio::test]
async fn databases_are_made_once_and_of_nobody_else() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let scratch = Scratch::new("init");
    let without = run(scratch.path(), &["db", "init", "--engine", "postgres", "--data", "data"]).await;
    assert!(without.refusal(2).contains("FREEHOLD_DATABASE_ADMIN_URL is not set"), "{without:#?}");
    let made = Made::on(scratch.path(), &server).await;
    let before = std::fs::read(scratch.join("data/databases.env")).unwrap();
    let again = made.init(scratch.path(), "data").await;
    assert_eq!((again.code, std::fs::read(scratch.join("data/databases.env")).unwrap()), (Some(0), before));
    let elsewhere = made.init(scratch.path(), "other").await;
    assert!(elsewhere.refusal(3).contains("is there already, and somebody else's"), "{elsewhere:#?}");
    assert!(!scratch.join("other/databases.env").exists());
}

fn demo(folder: &Path, up: &Up, seed: &str) -> Process {
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "40", "--workers", "8", "--seed", seed];
    Process::start(&mut freehold(folder, &arguments))
}

/// How many connections orders has, but for those that cancel a statement.
async fn connections(databases: &Databases) -> i64 {
    const COUNT: &str = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
                         AND application_name = 'freehold orders' AND query NOT LIKE '%pg_cancel_backend%'";
    let orders = ReadOnly::open(&databases.url("orders")).await.unwrap();
    let read = orders.read(Duration::from_secs(60)).await.unwrap();
    read.only(COUNT, Vec::new()).await.unwrap().unwrap().get("n").unwrap()
}

/// How many events orders has told; none before it has been started.
async fn events(databases: &Databases) -> i64 {
    let Ok(orders) = ReadOnly::open(&databases.reader_url("orders")).await else { return 0 };
    let read = orders.read(Duration::from_secs(60)).await.unwrap();
    let head = read.only("SELECT mark FROM freehold_head", Vec::new()).await.unwrap();
    head.map_or(0, |head| head.get("mark").unwrap())
}

/// Databases that go with the test.
pub(crate) struct Made {
    server: String,
    prefix: String,
}

impl Made {
    pub(crate) async fn on(folder: &Path, server: &str) -> Self {
        let made = Self { server: server.to_owned(), prefix: format!("t{:012x}", fastrand::u64(..1 << 48)) };
        let init = made.init(folder, "data").await;
        assert_eq!(init.code, Some(0), "{init:#?}");
        assert!(init.stdout.starts_with("9 databases are there"), "{init:#?}");
        made
    }

    async fn init(&self, folder: &Path, data: &str) -> Ended {
        let arguments = ["db", "init", "--engine", "postgres", "--data", data, "--prefix", &self.prefix];
        let mut command: Command = freehold(folder, &arguments);
        finish(Process::start(command.env("FREEHOLD_DATABASE_ADMIN_URL", &self.server))).await
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let services = freehold_sdk::PORTS.iter().map(|(name, _)| format!("{}_{name}", self.prefix));
        freehold_testkit::engines::drop_databases(&self.server, services.collect());
    }
}
