//! Bounds: a queue and a pool that stay full are a typed error, and a closed store says so.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, Work, vals};
use tokio::sync::oneshot;

use crate::engines::{Database, open};
use crate::sample::{self, Order, context, insert, run};

on_each_engine! {
    a_full_queue_is_told_at_the_deadline,
    readers_in_use_are_told_at_the_deadline,
    a_closed_store_refuses_work,
    what_is_queued_when_a_store_closes_is_finished,
    a_dropped_store_is_free_for_another_owner,
    the_log_of_writes_stays_bounded,
    readers_that_follow_one_another_do_not_make_the_log_of_writes_grow,
    futures_of_a_store_may_change_threads,
}

/// Fills lines until there is no room, but no further than twice what the test allows.
async fn fill(store: &Store) -> Result<(), StoreError> {
    const LARGE: &str = "INSERT INTO line (order_id, product) VALUES ('o1', $1)";
    for _ in 0..200 {
        let large = "x".repeat(10_000);
        run(store, async move |work: &mut Work| work.exec(LARGE, vals![large]).await).await?;
    }
    Ok(())
}

/// Invariant 14. Rows that are there are changed and read all the same, and what is deleted makes room. The planted bug is a
/// database without a bound.
#[tokio::test]
async fn a_full_database_refuses_what_needs_room_and_goes_on_when_there_is_some() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    let store = open(sample::options(&url).most_bytes(1_000_000)).await.unwrap();
    run(&store, async |work: &mut Work| insert(work, "o1", 1).await).await.unwrap();
    let full = fill(&store).await.unwrap_err();
    assert!(matches!(full, StoreError::Full(_)) && full.is_retryable(), "{full:?}");
    let change = "UPDATE orders SET cents = 2 WHERE id = 'o1'";
    run(&store, async move |work: &mut Work| work.exec(change, vals![]).await).await.unwrap();
    assert_eq!(sample::count(&store, "SELECT cents AS n FROM orders").await, 2);
    let lines = sample::count(&store, "SELECT count(*) AS n FROM line").await;
    assert!(fill(&store).await.is_err(), "it is full still");
    assert_eq!(sample::count(&store, "SELECT count(*) AS n FROM line").await, lines);
    run(&store, async |work: &mut Work| work.exec("DELETE FROM line", vals![]).await).await.unwrap();
    assert!(matches!(fill(&store).await, Err(StoreError::Full(_))));
    assert_eq!(sample::count(&store, "SELECT count(*) AS n FROM line").await, lines, "there was room again");
    store.close().await;

    let unbounded = open(sample::options(&url)).await.unwrap();
    assert!(fill(&unbounded).await.is_ok(), "the planted bug is seen");
    unbounded.close().await;
}

/// A unit that blocks its engine's thread until it is told to go on.
async fn block(store: &Store) -> mpsc::Sender<()> {
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let store = store.clone();
    tokio::spawn(async move {
        run(&store, async move |_: &mut Work| -> Result<(), StoreError> {
            let _ = begun.send(());
            let _ = may_go_on.recv();
            Ok(())
        })
        .await
    });
    has_begun.await.unwrap();
    go_on
}

async fn a_full_queue_is_told_at_the_deadline(database: Database) {
    let store = open(database.options().queue(1)).await.unwrap();
    let go_on = block(&store).await;
    let queued = tokio::spawn({
        let store = store.clone();
        async move { run(&store, async |work: &mut Work| insert(work, "queued", 1).await).await }
    });
    let briefly = Duration::from_millis(50);
    let refused = loop {
        // Until the other one has its place in the queue, this one takes it.
        let context = context().with_budget(briefly);
        let unit = store.unit(&context, async |work: &mut Work| insert(work, "late", 1).await);
        match tokio::time::timeout(briefly * 2, unit).await {
            Ok(Err(error)) => break error,
            Ok(Ok(_)) => panic!("the thread is blocked"),
            Err(_) => {}
        }
    };
    assert!(matches!(refused, StoreError::Busy(_)), "{refused}");
    go_on.send(()).unwrap();
    queued.await.unwrap().unwrap();
}

async fn readers_in_use_are_told_at_the_deadline(database: Database) {
    let store = open(database.options().readers(2)).await.unwrap();
    let held = (store.read().await.unwrap(), store.read().await.unwrap());
    let refused = store.read_within(&context().with_budget(Duration::from_millis(20))).await;
    assert!(matches!(refused.err(), Some(StoreError::Busy(_))));
    drop(held);
    for _ in 0..50 {
        store.read().await.unwrap();
    }
}

async fn a_closed_store_refuses_work(database: Database) {
    let store = database.open().await;
    let clone = store.clone();
    store.close().await;
    let unit = run(&clone, async |work: &mut Work| insert(work, "a", 1).await);
    assert!(matches!(unit.await, Err(StoreError::Closed)));
    assert!(matches!(clone.read().await.err(), Some(StoreError::Closed)));
    clone.close().await;
    let store = database.open().await;
    assert_eq!(sample::orders(&store).await, 0);
}

async fn what_is_queued_when_a_store_closes_is_finished(database: Database) {
    let store = database.open().await;
    let go_on = block(&store).await;
    let queued = run(&store, async |work: &mut Work| insert(work, "a", 1).await);
    let close = async {
        tokio::task::yield_now().await;
        go_on.send(()).unwrap();
        store.close().await;
    };
    let (queued, ()) = tokio::join!(queued, close);
    queued.unwrap();
    let store = database.open().await;
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_dropped_store_is_free_for_another_owner(database: Database) {
    let mut commits = {
        let store = database.open().await;
        run(&store, async |work: &mut Work| insert(work, "a", 1).await).await.unwrap();
        store.commits()
    };
    // Its sender is the engine's: gone when the engine has ended.
    assert!(commits.changed().await.is_err());
}

/// Commits that follow one another; a checkpoint that is at work all the time must not keep the WAL from beginning anew.
/// The planted bug is a writer that does not wait for it.
async fn the_log_of_writes_stays_bounded(database: Database) {
    if database.is_postgres() {
        return; // PostgreSQL sees to it by itself.
    }
    let store = database.open().await;
    write_sixty_megabytes(&store).await;
    assert!(log_of_writes(&database) < BOUND);
}

/// At no instant is there nobody who reads, and each is there for longer than a unit takes. The planted bug is a checkpoint
/// that waits for no reader: SQLite begins the WAL anew only where none reads from it.
async fn readers_that_follow_one_another_do_not_make_the_log_of_writes_grow(database: Database) {
    if database.is_postgres() {
        return;
    }
    const SLOW: &str = "WITH RECURSIVE steps (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < 3000) \
                        SELECT count(*) AS n FROM orders, steps WHERE orders.id = '0'";
    let store = database.open().await;
    let reading = async {
        let mut open = VecDeque::new();
        loop {
            let mut read = store.read().await.unwrap();
            read.all(SLOW, vals![]).await.unwrap();
            open.push_back(read);
            if open.len() == 4 {
                open.pop_front();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = reading => {}
        () = write_sixty_megabytes(&store) => {}
    }
    assert!(log_of_writes(&database) < BOUND);
}

const BOUND: u64 = 40 * 1024 * 1024;

async fn write_sixty_megabytes(store: &Store) {
    for number in 0..300 {
        let unit = run(store, async move |work: &mut Work| -> Result<u64, StoreError> {
            let raw = vec![7_u8; 200_000];
            let insert = "INSERT INTO orders (id, cents, raw) VALUES ($1, 0, $2)";
            work.exec(insert, vals![number.to_string(), raw]).await
        });
        unit.await.unwrap();
    }
}

fn log_of_writes(database: &Database) -> u64 {
    std::fs::metadata(format!("{}-wal", database.file().display())).unwrap().len()
}

async fn futures_of_a_store_may_change_threads(database: Database) {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let store = database.open().await;
    let context = context().with_key("k");
    let write = store.write(&context, async |work: &mut Work| -> Result<Order, StoreError> {
        work.put(&Order::new("a", 1)).await?;
        Ok(Order::new("a", 1))
    });
    is_send(write).await.unwrap();
    let reading = is_send(async {
        let mut read = store.read().await.unwrap();
        read.all("SELECT id FROM orders", vals![]).await.unwrap();
        read.all("SELECT id FROM orders", vals![]).await.unwrap()
    });
    assert!(reading.await.is_empty());
}
