//! E14: a transaction that somebody leaves open on the owner's PostgreSQL costs the others next to nothing.
//!
//! Rounds with and without one, in turns, over the same mesh. What the open transaction might still see cannot be cleaned
//! up meanwhile; how much that is, is printed.

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
    let load = Load::new(Running::start(databases.into(), None).await?, 1024);
    let owner = &load.mesh.owner.store;
    let (mut alone, mut beside) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        alone += load.at_once(&PLACE, EVENTS).await?;
        let mut open = owner.read().await?;
        open.one("SELECT count(*) AS events FROM freehold_outbox", vals![]).await?;
        beside += load.at_once(&PLACE, EVENTS).await?;
        drop(open);
    }
    let share = beside / alone;
    println!(
        "PostgreSQL, feed, beside an open transaction: {:.0} of {:.0} events/s, {share:.2}; {} dead rows of {}",
        beside / ROUNDS as f64,
        alone / ROUNDS as f64,
        dead(owner).await?,
        2 * ROUNDS * EVENTS
    );
    load.mesh.taker.check().await?;
    Ok(())
}

/// Rows that are dead and not yet cleaned up, in all tables of the owner.
async fn dead(store: &Store) -> Outcome<i64> {
    const DEAD: &str = "SELECT CAST(COALESCE(sum(n_dead_tup), 0) AS BIGINT) AS dead FROM pg_stat_user_tables \
                        WHERE schemaname = current_schema()";
    let row = store.read().await?.one(DEAD, vals![]).await?;
    Ok(row.ok_or("no statistics")?.get("dead")?)
}
