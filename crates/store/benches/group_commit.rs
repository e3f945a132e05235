//! Group commit, measured: units of three rows (a row of the service, an entity row, an outbox row), FULL, one run, one
//! disk.
//!
//! The same units go through the store under so many writers; with a commit each, by bare rusqlite and the statements
//! that a unit comes down to; and in one big transaction, in both ways. Latencies are of whole units,
//! from the caller's `await` to its reply. The figures move with the disk: its fdatasync rate is printed beside them.
//! `FREEHOLD_BENCH_DIR` chooses the folder.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use freehold_store::{Migration, Migrations, Options, Queries, Store, StoreError, Work, vals};
use freehold_wire::prost::Message;
use freehold_wire::trace::Trace;
use freehold_wire::{Context, Entity};
use rusqlite::Connection;

const TABLES: &str = "CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL) STRICT;";
const ORDER: &str = "INSERT INTO orders (id, customer) VALUES ($1, $2)";
const CUSTOMER: &str = "about forty bytes, as most columns have.";

/// How many units a big transaction has.
const UNITS: i64 = 50_000;

/// An order, as its owner shares it.
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    customer: String,
}

impl Order {
    fn new(number: i64) -> Self {
        Self { id: format!("order-{number}"), customer: CUSTOMER.to_owned() }
    }
}

impl Entity for Order {
    const NAME: &'static str = "bench.v1.Order";
    const OWNER: &'static str = "bench";

    fn key(&self) -> &str {
        &self.id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

static MIGRATIONS: Migrations = Migrations {
    set: "bench",
    steps: &[Migration { version: 1, name: "tables", sql: TABLES, postgres: None }],
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a number of writers got out of the store.
struct Run {
    writers: usize,
    units_per_second: f64,
    units_per_fsync: f64,
    p50: Duration,
    p99: Duration,
}

fn main() -> Outcome<()> {
    let folder =
        tempfile::tempdir_in(std::env::var_os("FREEHOLD_BENCH_DIR").unwrap_or(std::env::temp_dir().into()))?;
    let syncs = fdatasyncs_per_second(folder.path())?;
    println!("disk: {syncs:.0} fdatasync/s of 4 KiB in {}", folder.path().display());
    let single = commit_per_unit(&folder.path().join("single.db"), Duration::from_secs(3))?;
    println!("a commit per unit (bare rusqlite): {single:.0} units/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let runs = runtime.block_on(through_the_store(folder.path()))?;
    let bare = one_big_transaction(&folder.path().join("bare.db"), UNITS)?;
    println!("one big transaction (bare rusqlite): {bare:.0} units/s");
    let big = runtime.block_on(one_big_unit(folder.path().join("big.db"), UNITS))?;
    println!("one big transaction (one unit of work): {big:.0} units/s\n");
    report(&runs, single, big);
    Ok(())
}

async fn through_the_store(folder: &Path) -> Outcome<Vec<Run>> {
    let store = open(folder.join("store.db")).await?;
    let next = Arc::new(AtomicI64::new(1));
    let mut runs = Vec::new();
    for (writers, seconds) in [(1, 2), (8, 2), (64, 4), (256, 2)] {
        runs.push(run(&store, &next, writers, Duration::from_secs(seconds)).await?);
    }
    store.close().await;
    Ok(runs)
}

async fn open(file: PathBuf) -> Outcome<Store> {
    let url = format!("sqlite:{}", file.display());
    Ok(Store::open(Options::new("bench", url).migrations(&MIGRATIONS)).await?)
}

async fn run(store: &Store, next: &Arc<AtomicI64>, writers: usize, time: Duration) -> Outcome<Run> {
    let (before, began) = (store.tally(), Instant::now());
    let end = began + time;
    let writing = (0..writers).map(|_| {
        let (store, next) = (store.clone(), next.clone());
        tokio::spawn(async move { write_until(&store, &next, end).await })
    });
    let mut latencies = Vec::new();
    for writer in writing.collect::<Vec<_>>() {
        latencies.extend(writer.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = store.tally();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Ok(Run {
        writers,
        units_per_second: latencies.len() as f64 / seconds,
        units_per_fsync: (after.units - before.units) as f64 / (after.commits - before.commits) as f64,
        p50: at(0.50),
        p99: at(0.99),
    })
}

/// The unit that is measured.
async fn place_order(work: &mut Work, number: i64) -> Result<(), StoreError> {
    let order = Order::new(number);
    work.exec(ORDER, vals![&order.id, CUSTOMER]).await?;
    work.put(&order).await.map(drop)
}

/// The same units through the same executor, without their savepoints, their callers and their commits.
async fn one_big_unit(file: PathBuf, units: i64) -> Outcome<f64> {
    let store = open(file).await?;
    let began = Instant::now();
    let context = Context::new("bench", Duration::from_secs(60));
    let unit = store.unit(&context, async move |work: &mut Work| -> Result<(), StoreError> {
        for number in 1..=units {
            place_order(work, number).await?;
        }
        Ok(())
    });
    unit.await?;
    let rate = units as f64 / began.elapsed().as_secs_f64();
    store.close().await;
    Ok(rate)
}

async fn write_until(store: &Store, next: &AtomicI64, end: Instant) -> Result<Vec<Duration>, StoreError> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let id = next.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let context = Context::new("bench", Duration::from_secs(10));
        let unit = store.unit(&context, async move |work: &mut Work| -> Result<(), StoreError> {
            place_order(work, id).await
        });
        unit.await?;
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}

/// A store's tables without the store.
fn bare(file: &Path) -> Outcome<Connection> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = runtime.block_on(open(file.to_owned()))?;
    runtime.block_on(store.close());
    let connection = Connection::open(file)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(connection)
}

/// What the unit above comes down to.
fn insert_unit(connection: &Connection, number: i64) -> Outcome<()> {
    const LOOK: &str = "SELECT version, deleted, data FROM freehold_entity WHERE entity = ?1 AND key = ?2";
    const SAVE: &str = "INSERT INTO freehold_entity (entity, key, version, deleted, data) VALUES (?1, ?2, 1, FALSE, ?3) \
                        ON CONFLICT (entity, key) DO UPDATE SET version = excluded.version, data = excluded.data";
    const APPEND: &str = "INSERT INTO freehold_outbox \
                          (id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens, data) \
                          VALUES (?1, ?2, ?3, 1, ?2, FALSE, 0, ?4, '', x'', ?5)";
    let order = Order::new(number);
    let data = order.encode_to_vec();
    connection.prepare_cached(ORDER)?.execute((&order.id, CUSTOMER))?;
    let found = connection.prepare_cached(LOOK)?.exists((Order::NAME, &order.id))?;
    assert!(!found);
    connection.prepare_cached(SAVE)?.execute((Order::NAME, &order.id, &data))?;
    let (id, trace) = (uuid::Uuid::now_v7().to_string(), Trace::start().to_string());
    connection.prepare_cached(APPEND)?.execute((id, Order::NAME, &order.id, trace, &data))?;
    Ok(())
}

fn commit_per_unit(file: &Path, time: Duration) -> Outcome<f64> {
    let connection = bare(file)?;
    let (began, mut units) = (Instant::now(), 0);
    while began.elapsed() < time {
        units += 1;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        insert_unit(&connection, units)?;
        connection.prepare_cached("COMMIT")?.execute(())?;
    }
    Ok(units as f64 / began.elapsed().as_secs_f64())
}

fn one_big_transaction(file: &Path, units: i64) -> Outcome<f64> {
    let connection = bare(file)?;
    let began = Instant::now();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for id in 1..=units {
        insert_unit(&connection, id)?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(units as f64 / began.elapsed().as_secs_f64())
}

fn fdatasyncs_per_second(folder: &Path) -> Outcome<f64> {
    let mut file = File::create(folder.join("sync"))?;
    let (began, mut syncs) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / began.elapsed().as_secs_f64())
}

fn report(runs: &[Run], single: f64, big: f64) {
    println!("{:>8} {:>10} {:>12} {:>10} {:>10}", "writers", "units/s", "units/fsync", "p50", "p99");
    for run in runs {
        let Run { writers, units_per_second, units_per_fsync, p50, p99 } = run;
        println!("{writers:>8} {units_per_second:>10.0} {units_per_fsync:>12.1} {p50:>10.1?} {p99:>10.1?}");
    }
    let Some(run) = runs.iter().find(|run| run.writers == 64) else { return };
    println!("\nwith 64 writers:");
    bar("times a commit per unit", run.units_per_second / single, 8.0);
    bar("units per fsync", run.units_per_fsync, 16.0);
    bar("of one big transaction", run.units_per_second / big, 0.6);
}

fn bar(what: &str, measured: f64, wanted: f64) {
    let verdict = if measured >= wanted { "met" } else { "MISSED" };
    println!("{measured:>8.2} {what}, at least {wanted} wanted: {verdict}");
}
