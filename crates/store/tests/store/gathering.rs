//! Rows that wait for each other, in a unit that handlers of many events share.

use freehold_store::{Constraint, Engine, Queries, StoreError, Work, vals};

use crate::engines::Database;
use crate::sample::{self, run};

on_each_engine! {
    rows_that_wait_are_there_for_whoever_looks,
    a_row_that_is_refused_fails_its_unit,
    rows_that_still_wait_are_in_the_commit,
}

const MANY: i64 = 100;
const COUNT: &str = "SELECT count(*) AS n FROM naive_log";

async fn log(work: &mut Work, mark: i64) -> Result<(), StoreError> {
    const LOG: &str = "INSERT INTO naive_log (mark, key, version) VALUES ($1, $2, coalesce($3, 7))";
    work.exec_later(LOG, vals![mark, format!("k{mark}"), None::<i64>]).await
}

async fn number(work: &mut Work, sql: &'static str) -> Result<i64, StoreError> {
    work.one(sql, vals![]).await?.unwrap().get("n")
}

fn is_of_a_key_twice<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Constraint { kind: Constraint::Unique, .. }))
}

/// The planted bug leaves the rows where they wait when another statement comes.
async fn rows_that_wait_are_there_for_whoever_looks(database: Database) {
    const LOGGED: &str =
        "SELECT count(*) AS n FROM naive_log WHERE version = 7 AND key = 'k' || CAST(mark AS TEXT)";
    const ORDER: &str =
        "INSERT INTO orders (id, cents, note) VALUES ($1, $2, 'of $1') ON CONFLICT (id) DO NOTHING";
    const CENTS: &str = "SELECT CAST(sum(cents) AS BIGINT) AS n FROM orders WHERE note = 'of $1'";
    const STATEMENTS: &str = "SELECT count(DISTINCT CAST(cmin AS TEXT)) AS n FROM naive_log";
    let store = database.open().await;
    let is_postgres = store.engine() == Engine::Postgres;
    let counted = run(&store, async move |work: &mut Work| -> Result<_, StoreError> {
        work.gather();
        for mark in 0..MANY {
            log(work, mark).await?;
        }
        let logged = number(work, LOGGED).await?;
        for (id, cents) in [("a", 1), ("b", 2), ("a", 3)] {
            work.exec_later(ORDER, vals![id, cents]).await?;
        }
        let raised = work.exec("UPDATE orders SET cents = cents + 10 WHERE cents = 1", vals![]).await?;
        let statements = if is_postgres { number(work, STATEMENTS).await? } else { 3 };
        Ok((logged, raised, number(work, CENTS).await?, statements))
    });
    // 64, 32 and 4 rows.
    assert_eq!(counted.await.unwrap().0, (MANY, 1, 13, 3));
}

async fn a_row_that_is_refused_fails_its_unit(database: Database) {
    let store = database.open().await;
    let waits = store.engine() == Engine::Postgres;
    let refused = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
        work.gather();
        log(work, 1).await?;
        assert_eq!(is_of_a_key_twice(&log(work, 1).await), !waits);
        assert!(is_of_a_key_twice(&work.one(COUNT, vals![]).await));
        assert_eq!(work.has_lost_rows(), waits);
        Ok(())
    });
    assert!(is_of_a_key_twice(&refused.await));
    assert_eq!(sample::count(&store, COUNT).await, 0);
}

async fn rows_that_still_wait_are_in_the_commit(database: Database) {
    let store = database.open().await;
    let both = |first, second| {
        run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
            work.gather();
            log(work, first).await?;
            log(work, second).await
        })
    };
    both(1, 2).await.unwrap();
    assert!(is_of_a_key_twice(&both(3, 2).await));
    assert_eq!(sample::count(&store, COUNT).await, 2);
}
