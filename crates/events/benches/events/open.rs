//! E14: a transaction that somebody leaves open on the owner's PostgreSQL costs the others next to nothing.
//!
//! Rounds with and without one, in turns, over the same mesh; with `FREEHOLD_BENCH_MINUTES`, rounds for so long without one,
//! and for as long while it stays open. What it might still see cannot be cleaned up meanwhile; how much that is, is printed.

use std::time::{Duration, Instant};

use freehold_store::{Queries, Store, vals};
use freehold_testkit::engines;

use crate::load::Load;
use crate::mesh::{Outcome, PLACE, Running};

const EVENTS: usize = 8_000;
const ROUNDS: usize = 3;

/// Measures both.
pub(crate) async fn measure() -> Outcome<()> {
    let Some(databases) = engines::postgres().await.zip(engines::postgres().await) else {
        println!("an open transaction: there is no PostgreSQL");
        return Ok(());
    };
    let url = databases.0.url().to_owned();
    let load = Load::new(Running::start(databases.into(), None).await?, 1024);
    let minutes = std::env::var("FREEHOLD_BENCH_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let rates = match minutes {
        Some(minutes) => beside_one(&load, url, minutes).await?,
        None => in_turns(&load).await?,
    };
    let average = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let (alone, beside) = (average(&rates.alone), average(&rates.beside));
    println!(
        "PostgreSQL, feed, beside an open transaction: {beside:.0} of {alone:.0} events/s, {:.2}; in the last rounds of \
         each {:.0} of {:.0}; {} dead rows of {}",
        beside / alone,
        average(last(&rates.beside)),
        average(last(&rates.alone)),
        dead(&load.mesh.owner.store).await?,
        (rates.alone.len() + rates.beside.len()) * EVENTS
    );
    load.mesh.taker.check().await?;
    Ok(())
}

/// Events a second, round by round.
#[derive(Default)]
struct Rates {
    alone: Vec<f64>,
    beside: Vec<f64>,
}

async fn in_turns(load: &Load) -> Outcome<Rates> {
    let mut rates = Rates::default();
    for _ in 0..ROUNDS {
        rates.alone.push(load.at_once(&PLACE, EVENTS).await?);
        let mut open = load.mesh.owner.store.read().await?;
        open.one("SELECT count(*) AS events FROM freehold_outbox", vals![]).await?;
        rates.beside.push(load.at_once(&PLACE, EVENTS).await?);
        drop(open);
    }
    Ok(rates)
}

/// The last few rounds.
fn last(rates: &[f64]) -> &[f64] {
    &rates[rates.len().saturating_sub(ROUNDS)..]
}

/// It has written, so that it holds up the snapshots of others too.
async fn beside_one(load: &Load, url: String, minutes: u32) -> Outcome<Rates> {
    let mut rates = Rates::default();
    let (began, seconds) = (Instant::now(), 60 * minutes);
    while began.elapsed() < Duration::from_secs(seconds.into()) {
        rates.alone.push(load.at_once(&PLACE, EVENTS).await?);
    }
    let open = tokio::spawn(async move {
        let text = format!("BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep({seconds}); COMMIT");
        engines::change(&url, &text).await;
    });
    while !open.is_finished() {
        rates.beside.push(load.at_once(&PLACE, EVENTS).await?);
    }
    open.await?;
    Ok(rates)
}

/// Rows that are dead and not yet cleaned up, in all tables of the owner.
async fn dead(store: &Store) -> Outcome<i64> {
    const DEAD: &str = "SELECT CAST(COALESCE(sum(n_dead_tup), 0) AS BIGINT) AS dead FROM pg_stat_user_tables \
                        WHERE schemaname = current_schema()";
    let row = store.read().await?.one(DEAD, vals![]).await?;
    Ok(row.ok_or("no statistics")?.get("dead")?)
}
