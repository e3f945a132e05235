//! The same lives on a PostgreSQL database, where `FREEHOLD_TEST_POSTGRES_URL` names a server that is thrown away.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use super::world::World;
use super::{begins, deaths, faults, lifecycle};

const SERVER: &str = "FREEHOLD_TEST_POSTGRES_URL";

/// Runs a test over a database of its own.
async fn on_postgres(test: impl AsyncFnOnce(&mut World)) {
    let Ok(server) = std::env::var(SERVER) else { return };
    let folder = tempfile::tempdir().unwrap();
    let name = format!("freehold_saga_{:016x}", fastrand::u64(..));
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let create = format!("CREATE DATABASE {name}");
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await.unwrap();
    let url = PgConnectOptions::from_str(&server).unwrap().database(&name).to_url_lossy();
    let mut world = World::open_at(url.to_string(), folder.path()).await;
    test(&mut world).await;
    world.close().await;
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(drop))).await.unwrap();
}

/// E50 on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_survives_a_death_at_every_boundary() {
    on_postgres(async |world| deaths::die_at_every_boundary(world).await).await;
}

/// E53 on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_starters_one_begins_and_all_get_its_end() {
    on_postgres(async |world| begins::begin_64_times(world).await).await;
}

/// E51 on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compensation_that_fails_50_times_is_stuck_and_then_heals() {
    on_postgres(async |world| faults::fail_50_compensations(world).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_saga_can_be_hurried() {
    on_postgres(async |world| faults::hurry_a_stuck_one(world).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_says_what_became_of_each_step() {
    on_postgres(async |world| lifecycle::read_the_audit(world).await).await;
}
