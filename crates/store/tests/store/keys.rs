//! A key's rows on PostgreSQL: there is one in each table, and it is found as soon however often it was written.

use freehold_store::inbox::{Key, Step};
use freehold_store::{Queries, Store, StoreError, Work, inbox, vals};
use sqlx::Executor;
use tokio::task::JoinHandle;

use crate::engines::Database;
use crate::gates::{Gates, wait_at};
use crate::sample::{self, Order, Paid, run};
use crate::ticks::{Reader, inverted};

on_postgres! {
    a_key_costs_no_more_where_its_old_versions_are_kept,
    of_units_that_make_a_key_at_once_each_counts_on,
    a_step_from_where_a_key_does_not_stand_fails_its_unit,
}

const SUBSCRIPTION: &str = "orders/test";
const ENTITY: &str = "users.v1.User";

/// How many pages of the tables of keys were looked at by what the unit has done so far, those of their indexes included.
async fn looked_at(work: &mut Work) -> Result<i64, StoreError> {
    const PAGES: &str = "SELECT CAST(sum(pg_stat_get_xact_blocks_fetched(oid)) AS BIGINT) AS n FROM pg_class \
                         WHERE relnamespace = CAST(current_schema AS REGNAMESPACE) \
                         AND relname IN ('freehold_entity', 'freehold_entity_pkey', 'freehold_inbox', 'freehold_inbox_pkey')";
    work.one(PAGES, vals![]).await?.unwrap().get("n")
}

/// E14: whoever leaves a transaction open keeps all that was ever written of a key, and nobody comes by it. Red before the
/// sixth migration, where the pages grew with the versions: the old ones of a key lie among those of others.
async fn a_key_costs_no_more_where_its_old_versions_are_kept(database: Database) {
    const KEYS: i64 = 16;
    const KEPT: i64 = 100;
    let store = database.open().await;
    let mut outside = database.connect().await;
    outside.execute(sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()")).await.unwrap();
    for version in 1..=KEPT {
        let written = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
            for key in 0..KEYS {
                let key = format!("k{key}");
                work.emit(&Paid::new(&key)).await?;
                work.put(&Order::new(&format!("saved {key}"), version)).await?;
                inbox::advance(work, SUBSCRIPTION, ENTITY, &key, version).await?;
            }
            Ok(())
        });
        written.await.unwrap();
    }
    // The server plans anew, for tables in which there is next to nothing but what nobody sees.
    let mut plans = database.connect().await;
    plans.execute(sqlx::raw_sql("ANALYZE freehold_entity; ANALYZE freehold_inbox")).await.unwrap();
    let looks = run(&store, async |work: &mut Work| -> Result<[i64; 5], StoreError> {
        let mut looks = [looked_at(work).await?; 5];
        work.emit(&Paid::new("k3")).await?;
        looks[1] = looked_at(work).await?;
        work.put(&Order::new("saved k3", -1)).await?;
        looks[2] = looked_at(work).await?;
        inbox::lock_all(work, SUBSCRIPTION, &[Key { entity: ENTITY, key: "k3", likely: KEPT }]).await?;
        looks[3] = looked_at(work).await?;
        let step = Step { entity: ENTITY, key: "k3", before: KEPT, version: KEPT + 1 };
        inbox::advance_all(work, SUBSCRIPTION, &[step]).await?;
        looks[4] = looked_at(work).await?;
        Ok(looks)
    });
    let looks = looks.await.unwrap().0;
    let each: Vec<i64> = looks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(each.iter().all(|pages| *pages < 30), "{each:?} pages");
}

/// The planted bug does not take back what it made for a key that another had made and counted up meanwhile.
async fn of_units_that_make_a_key_at_once_each_counts_on(database: Database) {
    // More than a chapter of the sixth migration.
    const COUNTED: i64 = 20;
    const ROWS: &str =
        "SELECT (SELECT count(*) FROM freehold_entity) + (SELECT count(*) FROM freehold_inbox) AS n";
    let store = database.open().await;
    let (mut gates, [gate]) = Gates::closed(&database).await;
    let first = spawn(&store, async move |work: &mut Work| {
        for _ in 0..COUNTED {
            work.emit(&Paid::new("k")).await?;
        }
        inbox::advance(work, SUBSCRIPTION, ENTITY, "k", COUNTED).await?;
        wait_at(work, gate).await?;
        Ok(COUNTED)
    });
    let backend = gates.reached(gate).await;
    let counts = spawn(&store, async |work: &mut Work| work.emit(&Paid::new("k")).await);
    let takes = spawn(&store, async |work: &mut Work| inbox::lock(work, SUBSCRIPTION, ENTITY, "k").await);
    gates.waited_for(backend, 2).await;
    gates.open(gate).await;
    for (unit, version) in [(first, COUNTED), (counts, COUNTED + 1), (takes, COUNTED)] {
        assert_eq!(unit.await.unwrap().unwrap(), version);
    }
    assert_eq!(sample::count(&store, ROWS).await, 2, "a key has one row");
    let seen = Reader::default().read_all(&store).await;
    assert_eq!((seen.len() as i64, inverted(&seen)), (COUNTED + 1, None));
}

/// Whoever has not locked a key may be behind: its unit fails, instead of leaving the row where it is.
async fn a_step_from_where_a_key_does_not_stand_fails_its_unit(database: Database) {
    let store = database.open().await;
    let step = |before| Step { entity: ENTITY, key: "k", before, version: 9 };
    let steps = async move |work: &mut Work| inbox::advance_all(work, SUBSCRIPTION, &[step(3)]).await;
    assert!(matches!(run(&store, steps).await, Err(StoreError::RolledBack(None))), "there is no row");
    let advanced =
        run(&store, async |work: &mut Work| inbox::advance(work, SUBSCRIPTION, ENTITY, "k", 4).await);
    assert!(advanced.await.unwrap().0);
    let steps = async move |work: &mut Work| inbox::advance_all(work, SUBSCRIPTION, &[step(3)]).await;
    assert!(matches!(run(&store, steps).await, Err(StoreError::RolledBack(None))), "it stands at 4");
    let steps = async move |work: &mut Work| inbox::advance_all(work, SUBSCRIPTION, &[step(4)]).await;
    run(&store, steps).await.unwrap();
    assert_eq!(
        inbox::high_water(&mut store.read().await.unwrap(), SUBSCRIPTION, ENTITY, "k").await.unwrap(),
        9
    );
}

fn spawn<F>(store: &Store, unit: F) -> JoinHandle<Result<i64, StoreError>>
where
    F: AsyncFnOnce(&mut Work) -> Result<i64, StoreError> + Send + 'static,
{
    let store = store.clone();
    tokio::spawn(async move { run(&store, unit).await.map(|(answer, _)| answer) })
}
