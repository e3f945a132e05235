//! Events from a call that writes to the commit of their effect: how many a second, and how soon.
//!
//! `cargo xtask bench events` starts the engines and runs all; docs/events.md says what is measured and how. Parts can be
//! named: `cargo bench -p freehold-events --features nats --bench events -- idle rate`.

mod ceiling;
mod growth;
mod load;
mod mesh;
mod open;
mod peers;
mod spent;

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_events::bus;
use freehold_store::{Store, Tally};
use freehold_testkit::Scratch;
use freehold_testkit::engines::{self, Database};
use freehold_wire::Method;

use load::{Latencies, Load, WRITERS};
use mesh::{Outcome, PLACE, PLACE_ONCE, Placed, Reply, Running};
use spent::Spent;

const KEYS: usize = 1024;
const IDLE: usize = 500;
const EVENTS: usize = 64_000;
const ROUNDS: usize = 3;
/// How long a bus may take to answer.
const CONNECTS: Duration = Duration::from_secs(10);

const PARTS: [&str; 7] = ["idle", "rate", "pace", "postgres", "open", "peers", "growth"];

fn main() -> Outcome<()> {
    // Under `cargo test` there is nothing to compare.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let named = |part: &&str| arguments.iter().any(|argument| argument == part);
    let all = !PARTS.iter().any(&named);
    let runtime = tokio::runtime::Runtime::new()?;
    for part in PARTS.iter().filter(|part| all || named(part)) {
        runtime.block_on(run(part))?;
    }
    Ok(())
}

async fn run(part: &str) -> Outcome<()> {
    match part {
        "idle" => idle("SQLite, feed", load_on(sqlite(), None).await?).await,
        "rate" => rate().await,
        "pace" => pace().await,
        "postgres" => postgres().await,
        "open" => open::measure().await,
        "peers" => {
            peers::nats().await?;
            peers::watermill().await
        }
        _ => growth::measure().await,
    }
}

fn sqlite() -> [Database; 2] {
    [engines::sqlite(), engines::sqlite()]
}

async fn load_on(databases: [Database; 2], bus: Option<&str>) -> Outcome<Load> {
    Ok(Load::new(Running::start(databases, bus).await?, KEYS))
}

/// Every effect is looked at, then the mesh ends.
async fn end(load: Load) -> Outcome<()> {
    load.mesh.taker.check().await?;
    if let Some(mesh) = Arc::into_inner(load.mesh) {
        mesh.stop().await;
    }
    Ok(())
}

async fn idle(name: &str, load: Load) -> Outcome<()> {
    let latencies = load.idle(IDLE).await?;
    println!("{name}, idle, commit to commit: {}", shown(&latencies));
    end(load).await
}

/// As many as it takes, in turns with the ceiling of the same disk.
async fn rate() -> Outcome<()> {
    for _ in 0..ROUNDS {
        let folder = Scratch::new("ceiling");
        let (before, events) = (Spent::now()?, 64_000);
        let ceiling = ceiling::measure(folder.path(), events, KEYS as i64)?;
        println!("bare rusqlite, two files: {ceiling:.0} events/s, {}", before.each(EVENTS)?);
        for (name, method) in [("a write", &PLACE), ("a keyed write", &PLACE_ONCE)] {
            let load = load_on(sqlite(), None).await?;
            let taken = at_once(name, &load, method, EVENTS).await?;
            println!("  {:.2} of the ceiling", taken / ceiling);
            end(load).await?;
        }
    }
    Ok(())
}

async fn at_once(
    name: &str,
    load: &Load,
    method: &'static Method<Placed, Reply>,
    events: usize,
) -> Outcome<f64> {
    let (owner, consumer) = (&load.mesh.owner.store, &load.mesh.taker.store);
    let (tallies, before) = ((owner.tally(), consumer.tally()), Spent::now()?);
    let rates = load.at_once(method, events).await?;
    let commits = |store: &Store, before: Tally| (store.tally().commits - before.commits).max(1) as f64;
    println!(
        "{name}, {WRITERS} callers: {:.0} events/s; {:.0} in a commit of the owner, {:.0} in one of the consumer; {}",
        rates,
        events as f64 / commits(owner, tallies.0),
        events as f64 / commits(consumer, tallies.1),
        before.each(events)?
    );
    Ok(rates)
}

async fn pace() -> Outcome<()> {
    for per_second in [1_000, 2_500, 5_000] {
        let load = load_on(sqlite(), None).await?;
        let (latencies, refused) = load.paced(&PLACE, per_second, Duration::from_secs(8)).await?;
        println!("{per_second} a second, call to commit: {}; refused: {refused}", shown(&latencies));
        end(load).await?;
    }
    Ok(())
}

/// On PostgreSQL by the feed, and by NATS where there is one.
async fn postgres() -> Outcome<()> {
    let nats = std::env::var("FREEHOLD_TEST_NATS_URL").ok();
    let nats = nats.map(|server| format!("{server}/bench-{:016x}", fastrand::u64(..)));
    for (name, url) in [("PostgreSQL, feed", None), ("PostgreSQL, NATS", nats.as_deref())] {
        if name.ends_with("NATS") && url.is_none() {
            println!("{name}: there is no server");
            continue;
        }
        answers(url).await?;
        for _ in 0..ROUNDS {
            let Some(load) = load_on_postgres(url).await? else { return Ok(()) };
            at_once(name, &load, &PLACE, EVENTS / 2).await?;
            end(load).await?;
        }
        answers(url).await?;
        let Some(load) = load_on_postgres(url).await? else { return Ok(()) };
        idle(name, load).await?;
    }
    Ok(())
}

/// Fails where the bus does not answer, since its events then go by the feed, and that would be measured.
async fn answers(bus: Option<&str>) -> Outcome<()> {
    let Some(bus) = bus::connect(bus).await? else { return Ok(()) };
    let begun = Instant::now();
    // It connects by itself, and says until then that it is away.
    while let Err(away) = bus.prepare("orders").await {
        if begun.elapsed() > CONNECTS {
            return Err(away.into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn load_on_postgres(bus: Option<&str>) -> Outcome<Option<Load>> {
    let Some(databases) = engines::postgres().await.zip(engines::postgres().await) else {
        println!("PostgreSQL: there is no server");
        return Ok(None);
    };
    load_on(databases.into(), bus).await.map(Some)
}

fn shown(latencies: &Latencies) -> String {
    format!("p50 {:.2} ms, p99 {:.2} ms", latencies.at(50), latencies.at(99))
}
