//! A kept answer beside a call of its owner, how soon a change is seen by who keeps answers, and twenty thousand changes
//! that race the calls which bring answers.
//!
//! Client and owner are processes of their own on loopback. `cargo bench --bench cache`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use freehold_sdk::catalog::v1::{
    BatchGetProductsRequest, CatalogClient, ChangePriceRequest, CreateProductRequest, GetProductRequest,
};
use freehold_sdk::{Mesh, Session};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Services = BTreeMap<String, String>;

const CALLS: usize = 10_000;
const HITS: usize = 1_000_000;
const CHANGES: i64 = 1_000;
/// Readers that look while prices change one after the other.
const READERS: usize = 16;
const RACED: i64 = 20_000;
/// How long a service may take to start.
const START: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_owner, services) = up(folder.path(), "catalog")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let catalog = client(&services)?;
        let tea = CreateProductRequest::default().with_id("TEA").with_name("Tea").with_price_cents(1);
        catalog.create_product(tea).await?;
        hits(&services).await?;
        changes(&services).await?;
        races(&services).await
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
        writer.change_price(ChangePriceRequest::default().with_id("TEA").with_price_cents(cents)).await?;
        let began = Instant::now();
        while price(&reader).await? != cents {
            tokio::task::yield_now().await;
        }
        seen.push(began.elapsed());
    }
    report("a change is seen", &mut seen);
    Ok(())
}

/// Prices that only rise, and readers for whom they must never fall.
async fn races(services: &Services) -> Result<()> {
    let reader = client(services)?;
    let (last, fell) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (reader, last, fell) = (reader.clone(), last.clone(), fell.clone());
            tokio::spawn(async move {
                let (mut highest, mut looks) = (0, 0_u64);
                while last.load(Ordering::Relaxed) < 1_000_000 + RACED {
                    let Ok(cents) = price(&reader).await else { continue };
                    fell.fetch_add(u64::from(cents < highest), Ordering::Relaxed);
                    highest = highest.max(cents);
                    looks += 1;
                    tokio::task::yield_now().await;
                }
                looks
            })
        })
        .collect();
    let writer = client(services)?;
    for cents in 1_000_000..=1_000_000 + RACED {
        writer.change_price(ChangePriceRequest::default().with_id("TEA").with_price_cents(cents)).await?;
        last.store(cents, Ordering::Relaxed);
    }
    let mut looks = 0;
    for reader in readers {
        looks += reader.await?;
    }
    println!(
        "{RACED} changes, {looks} looks of {READERS} readers: {} went back",
        fell.load(Ordering::Relaxed)
    );
    Ok(())
}

/// What somebody sees who has seen nothing.
async fn price(catalog: &CatalogClient) -> Result<i64> {
    let product = GetProductRequest::default().with_id("TEA");
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
