//! Databases of a mesh on PostgreSQL, made by one command; that a mesh on them outlives kills is in `survival`.
//!
//! Runs where `FREEHOLD_TEST_POSTGRES_URL` names a server, which `cargo xtask test --engines` starts.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use freehold_server::databases::Databases;
use freehold_store::ReadOnly;
use freehold_testkit::{Process, Scratch};

use crate::mesh::{Ended, Up, finish, freehold, run};

/// A server on which databases and roles may be made.
pub(crate) const SERVER: &str = "FREEHOLD_TEST_POSTGRES_URL";

#[tokio::test]
async fn a_service_on_postgresql_has_few_connections() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let scratch = Scratch::new("postgres");
    let _made = Made::on(scratch.path(), &server).await;
    let up = Up::start(scratch.path()).await;
    let demo = ["demo", "--mesh", &up.directory, "--orders", "10", "--workers", "10"];
    let ended = run(scratch.path(), &demo).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let connections = connections(&Databases::of(&scratch.join("data")).unwrap()).await;
    assert!((1..=10).contains(&connections), "orders has {connections} connections");
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

/// How many connections orders has, but for those that cancel a statement.
async fn connections(databases: &Databases) -> i64 {
    const COUNT: &str = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
                         AND application_name = 'freehold orders' AND query NOT LIKE '%pg_cancel_backend%'";
    let orders = ReadOnly::open(&databases.url("orders")).await.unwrap();
    let read = orders.read(Duration::from_secs(60)).await.unwrap();
    read.only(COUNT, Vec::new()).await.unwrap().unwrap().get("n").unwrap()
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
