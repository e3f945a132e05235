//! A kept answer beside a call of its owner, how soon a change is seen by who keeps answers, and changes that race the
//! calls which bring answers.
//!
//! Client and owner are processes of their own on loopback. `cargo bench --bench cache`; a number behind `--` is that of
//! the changes that are raced.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freehold_sdk::catalog::v1::{
    BatchGetProductsRequest, CatalogClient, ChangePriceRequest, CreateProductRequest, GetProductRequest,
};
use freehold_sdk::{Mesh, Session};
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Services = BTreeMap<String, String>;

const CALLS: usize = 10_000;
const HITS: usize = 1_000_000;
const CHANGES: i64 = 1_000;
/// Prices that change at once, each with a reader of its own.
const PAIRS: i64 = 64;
/// How long a reader who sees nothing new waits before the next look.
const PACE: Duration = Duration::from_millis(1);
/// How many changes are raced where nobody says it.
const RACED: i64 = 20_000;
/// How long a service may take to start, and a change while many others are made.
const START: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let raced = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(RACED);
    let folder = tempfile::tempdir()?;
    let (_owner, services) = up(folder.path(), "catalog")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let catalog = client(&services)?;
        let tea = CreateProductRequest::default().with_id("TEA").with_name("Tea").with_price_cents(1);
        catalog.create_product(tea).await?;
        hits(&services).await?;
        changes(&services).await?;
        races(&services, raced).await
    })
}

/// What a call of the owner takes, and what a kept answer does.
async fn hits(services: &Services) -> Result<()> {
    let catalog = client(services)?;
    let mut calls = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let began = Instant::now();
        catalog.batch_get_products(BatchGetProductsRequest::default().with_ids(["TEA"])).await?;
        calls.push(began.elapsed());
    }
    let mut kept = Vec::with_capacity(HITS);
    for _ in 0..HITS {
        let began = Instant::now();
        catalog.get_product(GetProductRequest::default().with_id("TEA")).await?;
        kept.push(began.elapsed());
    }
    report("a call of the owner", &mut calls);
    report("a kept answer", &mut kept);
    Ok(())
}

/// How long after its commit a change is seen by somebody who keeps answers.
async fn changes(services: &Services) -> Result<()> {
    let (reader, writer) = (client(services)?, client(services)?);
    let mut seen = Vec::new();
    for cents in 2..2 + CHANGES {
        price(&reader).await?;
        change(&writer, "TEA", cents).await?;
        let began = Instant::now();
        while price(&reader).await? != cents {
            tokio::task::yield_now().await;
        }
        seen.push(began.elapsed());
    }
    report("a change is seen", &mut seen);
    Ok(())
}

/// Prices that only rise, each beside readers for whom it must never fall: every change is raced by the calls that fill
/// what the change before it has emptied.
async fn races(services: &Services, changes: i64) -> Result<()> {
    let began = Instant::now();
    let mut pairs = JoinSet::new();
    for pair in 0..PAIRS {
        // 64 writers wait for each other; that takes what it takes.
        let (reader, writer) = (client(services)?, client(services)?.with_deadline(START));
        pairs.spawn(async move {
            // A product and a connection that nobody else uses.
            let id = format!("TEA-{pair}");
            race(&reader, &writer, &id, changes / PAIRS).await.map_err(|error| format!("{id}: {error}"))
        });
    }
    let (mut looks, mut fell) = (0, 0);
    while let Some(pair) = pairs.join_next().await {
        let (of_pair, fallen) = pair??;
        looks += of_pair;
        fell += fallen;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{changes} changes in {seconds:.0} s, {looks} looks beside them: {fell} saw what was over");
    if fell > 0 { Err("a price fell".into()) } else { Ok(()) }
}

/// Changes one price so many times; how often it was looked at meanwhile, and how often it fell.
async fn race(reader: &CatalogClient, writer: &CatalogClient, id: &str, changes: i64) -> Result<(u64, u64)> {
    let product = CreateProductRequest::default().with_id(id).with_name("Tea").with_price_cents(0);
    writer.create_product(product).await?;
    let write = async {
        for cents in 1..=changes {
            change(writer, id, cents).await?;
        }
        Ok(())
    };
    let look = async {
        let (mut highest, mut looks, mut fell) = (0, 0, 0);
        // What is kept at the end is the last price, or this never ends.
        while highest < changes {
            // A call that comes too late on a busy machine tells nothing.
            let Ok(seen) = price_of(reader, id).await else { continue };
            fell += u64::from(seen < highest);
            if seen <= highest {
                // Nothing new: the owner gets the processor, the next change is on its way.
                tokio::time::sleep(PACE).await;
            }
            highest = highest.max(seen);
            looks += 1;
        }
        Ok((looks, fell))
    };
    tokio::try_join!(write, look).map(|(_, counted): ((), _)| counted)
}

/// Changes a price. An owner that has too much to do on a busy machine refuses, and is asked until it has done it.
async fn change(writer: &CatalogClient, id: &str, cents: i64) -> Result<()> {
    let writer = writer.with_key(format!("{id}-{cents}"));
    let price = ChangePriceRequest::default().with_id(id).with_price_cents(cents);
    while let Err(error) = writer.change_price(price.clone()).await {
        if !error.is_retryable_with_same_key() {
            return Err(error.into());
        }
    }
    Ok(())
}

/// What somebody sees who has seen nothing.
async fn price(catalog: &CatalogClient) -> Result<i64> {
    price_of(catalog, "TEA").await
}

async fn price_of(catalog: &CatalogClient, id: &str) -> Result<i64> {
    let product = GetProductRequest::default().with_id(id);
    Ok(catalog.with_session(&Session::new()).get_product(product).await?.price_cents)
}

fn client(services: &Services) -> Result<CatalogClient> {
    Ok(CatalogClient::connect(&Mesh::fixed("demo", services.clone()))?)
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e6;
    println!("{what:<20} p50 {:>9.2} us   p99 {:>9.2} us   of {}", at(50), at(99), times.len());
}

/// A mesh of that service.
fn up(folder: &Path, only: &str) -> Result<(Ended, Services)> {
    let ready = folder.join("ready.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.args(["up", "--port", "0", "--only", only, "--data"]).arg(folder.join("data"));
    command.arg("--ready-file").arg(&ready).stderr(Stdio::null()).stdout(Stdio::null());
    let up = Ended(command.spawn()?);
    let began = Instant::now();
    while !ready.exists() && began.elapsed() < START {
        std::thread::sleep(Duration::from_millis(1));
    }
    let said: serde_json::Value = serde_json::from_slice(&fs::read(&ready)?)?;
    Ok((up, serde_json::from_value(said["services"].clone())?))
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
