//! E14: a transaction that somebody leaves open on the owner's PostgreSQL costs the others next to nothing.
//!
//! Rounds with and without one, in turns, over the same mesh. With `FREEHOLD_BENCH_MINUTES` two meshes take turns for twice
//! as long, and the transaction stays open beside one of them all the time: what it might still see cannot be cleaned up
//! there. How much that is, is printed.

use std::time::{Duration, Instant};

use freehold_store::{Queries, Store, vals};
use freehold_testkit::engines::{self, Database};

use crate::load::Load;
use crate::mesh::{Outcome, PLACE, Running};

const EVENTS: usize = 8_000;
const ROUNDS: usize = 3;
/// How many rounds are the last ones.
const LAST: usize = 10;

/// Measures both.
pub(crate) async fn measure() -> Outcome<()> {
    let Some(databases) = engines::postgres().await.zip(engines::postgres().await) else {
        println!("an open transaction: there is no PostgreSQL");
        return Ok(());
    };
    let url = databases.0.url().to_owned();
    let load = start(databases.into()).await?;
    let minutes = std::env::var("FREEHOLD_BENCH_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let rates = match minutes {
        Some(minutes) => beside_another(&load, url, minutes).await?,
        None => in_turns(&load).await?,
    };
    let average = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let (alone, beside) = (average(&rates.alone), average(&rates.beside));
    let lately = |rates: &[f64]| average(&rates[rates.len().saturating_sub(LAST)..]);
    println!(
        "PostgreSQL, feed, beside an open transaction: {beside:.0} of {alone:.0} events/s, {:.2}; in the last rounds of \
         each {:.0} of {:.0}, {:.2}; {} dead rows after {} events",
        beside / alone,
        lately(&rates.beside),
        lately(&rates.alone),
        lately(&rates.beside) / lately(&rates.alone),
        dead(&load.mesh.owner.store).await?,
        rates.beside.len() * EVENTS
    );
    load.mesh.taker.check().await?;
    Ok(())
}

async fn start(databases: [Database; 2]) -> Outcome<Load> {
    Ok(Load::new(Running::start(databases, None).await?, 1024))
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

/// Beside a transaction that has written, so that it holds up the snapshots of others too.
async fn beside_another(load: &Load, url: String, minutes: u64) -> Outcome<Rates> {
    let others = engines::postgres_apart().await.zip(engines::postgres_apart().await);
    let alone = start(others.ok_or("no other databases")?.into()).await?;
    let mut rates = Rates::default();
    let (began, lasts) = (Instant::now(), Duration::from_secs(2 * 60 * minutes));
    let open = tokio::spawn(async move {
        let text =
            format!("BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep({}); COMMIT", lasts.as_secs());
        engines::change(&url, &text).await;
    });
    while began.elapsed() < lasts {
        rates.alone.push(alone.at_once(&PLACE, EVENTS).await?);
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
