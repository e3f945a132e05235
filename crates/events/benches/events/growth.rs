//! Does an event cost the same however many there are? Outboxes, consumers and keys grow; rates and memory should not move.
//!
//! Each consumer begins at an owner's first event and takes in everything: all events, one after the other, a database of
//! its own. `FREEHOLD_BENCH_ROWS` makes the largest outbox larger.

use std::time::Instant;

use freehold_events::bus::Choice;
use freehold_store::{StoreError, Work};
use freehold_testkit::engines::{self, Database};
use freehold_wire::Context;

use crate::mesh::{BUDGET, Outcome, Owner, Placed, Probes, Taker};
use crate::spent::{Spent, memory};

/// How many events an owner emits in one unit of work to fill its outbox.
const FILLED_AT_ONCE: usize = 1000;

/// Grows one thing after the other.
pub(crate) async fn measure() -> Outcome<()> {
    let most =
        std::env::var("FREEHOLD_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let mut rows = 10_000;
    while rows <= most {
        drain(rows, 1024, 1).await?;
        rows *= 10;
    }
    for consumers in [4, 16] {
        drain(100_000, 1024, consumers).await?;
    }
    for (rows, keys) in [(100_000, 10), (100_000, 100_000), (1_000_000, 1_000_000)] {
        drain(rows, keys, 1).await?;
    }
    Ok(())
}

async fn drain(rows: usize, keys: usize, consumers: usize) -> Outcome<()> {
    let databases = (0..consumers).map(|_| engines::sqlite()).collect();
    let Drained { rate, spent } = drained(engines::sqlite(), databases, rows, keys).await?;
    println!("{rows} events of {keys} keys, consumers: {consumers}: {rate:.0} events/s, {spent}");
    Ok(())
}

/// What came of a backlog.
pub(crate) struct Drained {
    /// Effects a second, of all consumers.
    pub(crate) rate: f64,
    /// What they cost, and the memory when they were done.
    pub(crate) spent: String,
}

/// Fills an owner's outbox, then starts a consumer for each of the databases, and waits until all are done.
pub(crate) async fn drained(
    owner: Database,
    databases: Vec<Database>,
    rows: usize,
    keys: usize,
) -> Outcome<Drained> {
    let owner = Owner::start(owner).await?;
    for first in (0..rows).step_by(FILLED_AT_ONCE) {
        fill(&owner, first, keys).await?;
    }
    let (bus, events, before) = (Choice::default(), rows * databases.len(), Spent::now()?);
    let began = Instant::now();
    let mut takers = Vec::new();
    for database in databases {
        takers.push(Taker::start(database, &owner, &bus, Probes::default()).await?);
    }
    for taker in &takers {
        taker.handle.caught_up(BUDGET * 10).await?;
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    let spent = format!("{}, {} MB", before.each(events)?, memory()?);
    for taker in takers {
        let effects = taker.check().await?;
        if effects != i64::try_from(rows)? {
            return Err(format!("{effects} effects of {rows} events").into());
        }
        taker.handle.stop().await;
    }
    owner.stop();
    Ok(Drained { rate, spent })
}

async fn fill(owner: &Owner, first: usize, keys: usize) -> Outcome<()> {
    let unit = async move |work: &mut Work| {
        for event in first..first + FILLED_AT_ONCE {
            work.emit(&Placed::new(format!("k{}", event % keys), None)).await?;
        }
        Ok(())
    };
    owner.store.unit::<_, StoreError, _>(&Context::new("orders", BUDGET), unit).await?;
    Ok(())
}
