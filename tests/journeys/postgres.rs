//! Databases of a mesh on PostgreSQL, made by one command; that a mesh on them outlives kills is in `survival`.
//!
//! Runs where `FREEHOLD_TEST_POSTGRES_URL` names a server, which `cargo xtask test --engines` starts.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use freehold_server::databases::Databases;
use freehold_store::{Login, ReadOnly};
use freehold_testkit::engines::execute;
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

/// One name is somebody else's: nothing is made and nothing is taken over, however often it is asked for. The planted bug
/// takes the file that the first time left behind for a sign that all the names are its own.
#[tokio::test]
async fn one_name_of_somebody_else_stops_all_of_it_every_time() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let scratch = Scratch::new("init-taken");
    let taken = Made::of(&server);
    let role = format!("{}_orders", taken.prefix);
    execute(&server, format!("CREATE ROLE {role} LOGIN PASSWORD 'theirs'")).await.unwrap();
    for _ in 0..2 {
        let refused = taken.init(scratch.path(), "data").await;
        assert!(refused.refusal(3).contains(&format!("the role {role} is there already")), "{refused:#?}");
        assert!(!scratch.join("data/databases.env").exists());
    }
    let theirs = Login { role, password: "theirs".to_owned() }.url(&server, "postgres");
    execute(&theirs, "SELECT 1".to_owned()).await.unwrap();
}

/// E7 of a mesh that runs on: what its database lacks it would tell as if it were there. It ends, and says so. The planted
/// bug ends the store alone, whose service is healthy and answers nothing.
#[tokio::test]
async fn a_mesh_ends_with_a_database_that_was_set_back() {
    const SET_BACK: &str = "BEGIN; LOCK TABLE freehold_tick; \
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid(); \
        DELETE FROM freehold_tick WHERE last_mark = (SELECT max(last_mark) FROM freehold_tick); COMMIT";
    let Ok(server) = std::env::var(SERVER) else { return };
    let scratch = Scratch::new("set-back");
    let _made = Made::on(scratch.path(), &server).await;
    let up = Up::start(scratch.path()).await;
    let demo =
        run(scratch.path(), &["demo", "--mesh", &up.directory, "--orders", "3", "--workers", "1"]).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    let orders = Databases::of(&scratch.join("data")).unwrap().url("orders");
    execute(&orders, SET_BACK.to_owned()).await.unwrap();
    let ended = finish(up.process).await;
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("failed to go on: the store has ended"), "{ended:#?}");
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
    fn of(server: &str) -> Self {
        Self { server: server.to_owned(), prefix: format!("t{:012x}", fastrand::u64(..1 << 48)) }
    }

    pub(crate) async fn on(folder: &Path, server: &str) -> Self {
        let made = Self::of(server);
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
