//! A read by key, measured: the store's snapshot beside the bare query on an open connection.
//!
//! Both run the same statement over the same 100,000 rows on one thread, in turns, so that what disturbs one disturbs the
//! other. What a store's read adds: a place in the pool, a transaction around the statement, a row that owns its values.

use std::error::Error;
use std::time::{Duration, Instant};

use freehold_store::{Migration, Migrations, Options, Queries, Store, StoreError, Work, vals};
use freehold_wire::Context;
use rusqlite::Connection;

const ROWS: i64 = 2_000;
const ROUNDS: i64 = 20;
const READS: i64 = 5_000;
const READ: &str = "SELECT id, name, price_cents, freehold_version FROM copy WHERE id = $1";

static MIGRATIONS: Migrations = Migrations {
    set: "bench",
    steps: &[Migration {
        version: 1,
        name: "copy",
        sql: "CREATE TABLE copy (id TEXT PRIMARY KEY, name TEXT, price_cents BIGINT, freehold_version BIGINT) STRICT;",
        postgres: None,
    }],
};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("read.db");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let options = Options::new("bench", format!("sqlite:{}", file.display()));
        let store = Store::open(options.migrations(&MIGRATIONS)).await?;
        fill(&store).await?;
        let connection = Connection::open(&file)?;
        let (mut bare, mut single, mut shared) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let keys = (0..READS).map(|read| format!("key-{}", (round * READS + read) * 7919 % ROWS));
            let keys: Vec<String> = keys.collect();
            bare.push(timed_bare(&connection, &keys)?);
            single.push(timed_store(&store, &keys).await?);
            shared.push(timed_snapshot(&store, &keys).await?);
        }
        report("bare query", &mut bare, 0.0);
        let bare = bare[bare.len() / 2].as_secs_f64();
        report("a read of its own", &mut single, bare);
        report("one of many in a read", &mut shared, bare);
        store.close().await;
        Ok(())
    })
}

async fn fill(store: &Store) -> Outcome<()> {
    let context = Context::new("bench", Duration::from_secs(60));
    let unit = store.unit(&context, async |work: &mut Work| -> Result<(), StoreError> {
        const INSERT: &str =
            "INSERT INTO copy (id, name, price_cents, freehold_version) VALUES ($1, $2, $3, 1)";
        for row in 0..ROWS {
            work.exec(INSERT, vals![format!("key-{row}"), "a name of usual length", row]).await?;
        }
        Ok(())
    });
    unit.await?;
    Ok(())
}

fn timed_bare(connection: &Connection, keys: &[String]) -> Outcome<Duration> {
    let began = Instant::now();
    let mut sum = 0;
    for key in keys {
        let row = connection.prepare_cached(READ)?.query_row([key], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?;
        sum += row.2;
    }
    std::hint::black_box(sum);
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

async fn timed_store(store: &Store, keys: &[String]) -> Outcome<Duration> {
    let began = Instant::now();
    for key in keys {
        let mut read = store.read().await?;
        std::hint::black_box(read_one(&mut read, key).await?);
    }
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

async fn timed_snapshot(store: &Store, keys: &[String]) -> Outcome<Duration> {
    let began = Instant::now();
    let mut read = store.read().await?;
    for key in keys {
        std::hint::black_box(read_one(&mut read, key).await?);
    }
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

async fn read_one(read: &mut impl Queries, key: &str) -> Result<(String, String, i64, i64), StoreError> {
    let row = read.one(READ, vals![key]).await?.ok_or(StoreError::Closed)?;
    Ok((row.get("id")?, row.get("name")?, row.get("price_cents")?, row.get("freehold_version")?))
}

fn report(what: &str, times: &mut [Duration], bare: f64) {
    times.sort_unstable();
    let median = times[times.len() / 2];
    print!("{what:>22}: {median:>10.2?}");
    if bare > 0.0 {
        print!(", {:.2} times the bare query", median.as_secs_f64() / bare);
    }
    println!();
}
