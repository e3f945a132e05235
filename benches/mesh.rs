//! The mesh as its users meet it: how large the command is, how fast it starts, what it holds in memory when idle, and
//! how many orders a second the demo gets through it, beside what the disk and the store allow in the same run.
//!
//! `cargo bench --bench mesh`; the bars and the figures are in docs/benchmarks.md.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use freehold_store::{Migration, Migrations, Options, Queries, Store, StoreError, Work, vals};
use freehold_wire::Context;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const STARTS: usize = 7;
const WRITERS: u64 = 64;
const WRITING: Duration = Duration::from_secs(4);
/// An order is begun, and each of its three steps is recorded: four units in orders. Reserve, authorise and capture are
/// one each at their owners. Mails, shipping and cancelling come on top, and are not counted: they are not waited for.
const UNITS_PER_ORDER: f64 = 7.0;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let size = fs::metadata(env!("CARGO_BIN_EXE_freehold"))?.len();
    println!("release binary             {:.1} MB", size as f64 / 1e6);
    let demo = demo(&folder.path().join("data"))?;
    start(folder.path())?;
    let units = units(&folder.path().join("units.db"))?;
    let orders = demo["orders_per_second"].as_f64().unwrap_or_default();
    println!(
        "demo, {WRITERS} workers           {orders:.0} orders/s, p50 {} ms, p99 {} ms, {} events/s",
        demo["place_p50_ms"], demo["place_p99_ms"], demo["events_per_second"]
    );
    println!(
        "replica lag under the demo p50 {} ms, p99 {} ms",
        demo["replica_lag_p50_ms"], demo["replica_lag_p99_ms"]
    );
    println!("units of three rows        {units:.0} /s with {WRITERS} writers on one database");
    println!(
        "orders/s against units/s   {:.2} of {:.0} (units/s / {UNITS_PER_ORDER})",
        orders * UNITS_PER_ORDER / units,
        units / UNITS_PER_ORDER
    );
    Ok(())
}

/// A demo over a mesh of its own.
fn demo(data: &Path) -> Result<serde_json::Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_freehold"))
        .args(["demo", "-o", "json", "--data"])
        .arg(data)
        .stderr(Stdio::null())
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// How long `up` takes over the data that the demo left, and what it holds when idle.
fn start(folder: &Path) -> Result<()> {
    let mut times = Vec::new();
    let mut memory = 0;
    for round in 0..STARTS {
        let ready = folder.join(format!("ready-{round}.json"));
        let began = Instant::now();
        let mut up = Ended(up(folder, &ready)?);
        while !ready.exists() && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        times.push(began.elapsed());
        std::thread::sleep(Duration::from_secs(1));
        memory = memory.max(resident_kb(up.0.id())?);
        up.0.kill()?;
    }
    times.sort_unstable();
    println!("up until all serve         {:.0} ms median of {STARTS}", times[STARTS / 2].as_secs_f64() * 1e3);
    println!("idle, nine services        {:.1} MB resident", memory as f64 / 1024.0);
    Ok(())
}

fn up(folder: &Path, ready: &Path) -> Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.args(["up", "--port", "0", "--data"]).arg(folder.join("data")).arg("--ready-file").arg(ready);
    Ok(command.stderr(Stdio::null()).stdout(Stdio::null()).spawn()?)
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn resident_kb(process: u32) -> Result<u64> {
    let status = fs::read_to_string(PathBuf::from("/proc").join(process.to_string()).join("status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kb = line.split_whitespace().nth(1).ok_or("no number")?;
    Ok(kb.parse()?)
}

/// Units of three rows a second over one database.
fn units(database: &Path) -> Result<f64> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let url = format!("sqlite:{}", database.display());
        let store = Store::open(Options::new("bench", &url).migrations(&MIGRATIONS)).await?;
        let (done, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let began = Instant::now();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(write(store.clone(), Arc::clone(&next), Arc::clone(&done), began)))
            .collect();
        for writer in writers {
            writer.await??;
        }
        let units = done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
        store.close().await;
        Ok(units)
    })
}

async fn write(
    store: Store,
    next: Arc<AtomicU64>,
    done: Arc<AtomicU64>,
    began: Instant,
) -> std::result::Result<(), StoreError> {
    while began.elapsed() < WRITING {
        let id = next.fetch_add(1, Ordering::Relaxed).cast_signed();
        let context = Context::new("bench", Duration::from_secs(10));
        let unit = async move |work: &mut Work| -> std::result::Result<(), StoreError> {
            for row in 0..3i64 {
                work.exec(
                    "INSERT INTO bench (id, part, body) VALUES ($1, $2, $3)",
                    vals![id, row, "a row of some text"],
                )
                .await?;
            }
            Ok(())
        };
        store.unit(&context, unit).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

static MIGRATIONS: Migrations = Migrations {
    set: "bench",
    steps: &[Migration {
        version: 1,
        name: "bench",
        sql: "CREATE TABLE bench (id BIGINT NOT NULL, part BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, part)) STRICT;",
        postgres: None,
    }],
};
