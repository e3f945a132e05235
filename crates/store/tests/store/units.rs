//! Units of work: all or nothing, one transaction, nothing but the database.

use std::sync::mpsc;
use std::time::Duration;

use freehold_store::{Constraint, Queries, StoreError, Work, vals};
use tokio::sync::oneshot;

use crate::engines::{Database, open};
use crate::sample::{self, Order, Paid, context, insert, run};

on_each_engine! {
    a_unit_commits_rows_entities_and_events_together,
    a_refusal_leaves_nothing,
    a_failed_statement_forbids_the_commit,
    a_unit_that_waits_for_something_foreign_is_rolled_back,
    a_unit_that_drops_a_statement_is_rolled_back,
    a_panic_is_told_to_its_caller_alone,
    a_dropped_caller_does_not_stop_a_unit,
    a_unit_is_cut_at_its_deadline,
    a_unit_whose_time_is_up_does_not_begin,
    a_unit_ends_with_its_call,
    a_unit_whose_caller_is_gone_does_not_begin,
    a_unit_may_not_control_its_transaction,
    a_unit_has_one_time,
    constraints_are_told_apart,
    a_table_can_be_defined_at_run_time,
    many_units_at_once_lose_nothing,
}

async fn a_unit_commits_rows_entities_and_events_together(database: Database) {
    let store = database.open().await;
    let placed = run(&store, async |work: &mut Work| -> Result<i64, StoreError> {
        insert(work, "a", 5).await?;
        work.put(&Order::new("a", 5)).await?;
        work.emit(&Paid::new("a")).await
    });
    let (version, token) = placed.await.unwrap();
    assert_eq!(version, 2);
    assert_eq!(sample::orders(&store).await, 1);
    let events = sample::events(&store).await;
    assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(sample::position(&events[1]).mark, token.mark);
    assert_eq!(store.head().mark(), token.mark);
    assert_eq!(*store.commits().borrow(), token.mark);
}

async fn a_refusal_leaves_nothing(database: Database) {
    let store = database.open().await;
    let refused = run(&store, async |work: &mut Work| -> Result<(), Refusal> {
        insert(work, "a", 5).await?;
        work.put(&Order::new("a", 5)).await?;
        Err(Refusal::OutOfStock)
    });
    assert!(matches!(refused.await, Err(Refusal::OutOfStock)));
    assert_eq!((sample::orders(&store).await, sample::events(&store).await.len()), (0, 0));
    assert_eq!(store.head().mark(), 0);
}

#[derive(Debug)]
enum Refusal {
    OutOfStock,
    Store(#[expect(dead_code, reason = "shown by Debug")] StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The planted bug is a handler that takes the error for an answer.
async fn a_failed_statement_forbids_the_commit(database: Database) {
    let store = database.open().await;
    let planted = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "a", 5).await?;
        let _ = insert(work, "a", 6).await;
        let _ = insert(work, "b", 7).await;
        Ok(())
    });
    let error = planted.await.unwrap_err();
    assert!(matches!(error, StoreError::Constraint { kind: Constraint::Unique, .. }), "{error}");
    assert_eq!(sample::orders(&store).await, 0);
}

async fn a_unit_that_waits_for_something_foreign_is_rolled_back(database: Database) {
    let store = database.open().await;
    let sleeps = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "a", 5).await?;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        Ok(())
    });
    assert!(matches!(sleeps.await, Err(StoreError::ForeignAwait)));
    let (_never, answer) = oneshot::channel::<()>();
    let listens = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "b", 5).await?;
        let _ = answer.await;
        Ok(())
    });
    assert!(matches!(listens.await, Err(StoreError::ForeignAwait)));
    assert_eq!(sample::orders(&store).await, 0);
}

async fn a_unit_that_drops_a_statement_is_rolled_back(database: Database) {
    if !database.is_postgres() {
        return; // On SQLite a statement is done when it is first polled.
    }
    let store = database.open().await;
    let drops = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "a", 5).await?;
        let slow = work.one("SELECT pg_sleep(3600)", vals![]);
        let _ = tokio::time::timeout(Duration::from_millis(1), slow).await;
        Ok(())
    });
    assert!(matches!(drops.await, Err(StoreError::ForeignAwait)));
    assert_eq!(sample::orders(&store).await, 0);
}

async fn a_panic_is_told_to_its_caller_alone(database: Database) {
    let store = database.open().await;
    let panics = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "a", 5).await?;
        panic!("planted");
    });
    let good = run(&store, async |work: &mut Work| insert(work, "b", 5).await);
    let (panicked, done) = tokio::join!(panics, good);
    assert!(matches!(panicked, Err(StoreError::Panicked(text)) if text == "planted"));
    done.unwrap();
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_dropped_caller_does_not_stop_a_unit(database: Database) {
    let store = database.open().await;
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let used = store.clone();
    let caller = tokio::spawn(async move {
        let unit = run(&used, async move |work: &mut Work| -> Result<(), StoreError> {
            insert(work, "a", 5).await?;
            let _ = begun.send(());
            let _ = may_go_on.recv();
            work.put(&Order::new("a", 5)).await.map(drop)
        });
        unit.await
    });
    has_begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    let mut commits = store.commits();
    go_on.send(()).unwrap();
    commits.changed().await.unwrap();
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_unit_is_cut_at_its_deadline(database: Database) {
    let store = database.open().await;
    let briefly = context().with_budget(Duration::from_millis(50));
    let slow = store.unit(&briefly, async |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "a", 5).await?;
        // A handler that goes on after the cut is cut again.
        let _ = work.one(sample::FOR_EVER, vals![]).await;
        let _ = work.one(sample::FOR_EVER, vals![]).await;
        Ok(())
    });
    assert!(matches!(slow.await, Err(StoreError::DeadlineExceeded)));
    run(&store, async |work: &mut Work| insert(work, "b", 5).await).await.unwrap();
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_unit_whose_time_is_up_does_not_begin(database: Database) {
    let store = database.open().await;
    let late = context().with_budget(Duration::ZERO);
    let unit = store.unit(&late, async |_: &mut Work| -> Result<(), StoreError> { panic!("it began") });
    assert!(matches!(unit.await, Err(StoreError::DeadlineExceeded)));
}

/// C6: as a read does; what it wrote is rolled back. The planted bug is a unit that knows its deadline alone.
async fn a_unit_ends_with_its_call(database: Database) {
    let store = database.open().await;
    let context = context();
    let begins = sample::cancelled_once_begun(&context);
    let slow = store.unit(&context, async move |work: &mut Work| -> Result<(), StoreError> {
        insert(work, "a", 5).await?;
        begins.send(()).unwrap();
        work.one(sample::FOR_EVER, vals![]).await.map(drop)
    });
    assert!(matches!(slow.await, Err(StoreError::Cancelled)));
    run(&store, async |work: &mut Work| insert(work, "b", 5).await).await.unwrap();
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_unit_whose_caller_is_gone_does_not_begin(database: Database) {
    let store = database.open().await;
    let context = context();
    context.cancellation().cancel();
    let unit = store.unit(&context, async |_: &mut Work| -> Result<(), StoreError> { panic!("it began") });
    assert!(matches!(unit.await, Err(StoreError::Cancelled)));
}

async fn a_unit_may_not_control_its_transaction(database: Database) {
    let store = database.open().await;
    for sql in ["COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT a", " -- so\n COMMIT", "RELEASE SAVEPOINT a"] {
        let unit = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
            insert(work, "a", 5).await?;
            work.exec(sql, vals![]).await.map(drop)
        });
        let error = unit.await.unwrap_err();
        assert!(matches!(error, StoreError::Forbidden(_)), "{sql}: {error}");
    }
    let settings = if database.is_postgres() { "SET fsync = off" } else { "PRAGMA synchronous = OFF" };
    let unit = run(&store, async move |work: &mut Work| work.define(settings).await);
    assert!(matches!(unit.await, Err(StoreError::Forbidden(_))));
    assert_eq!(sample::orders(&store).await, 0);
}

async fn a_unit_has_one_time(database: Database) {
    let mut options = database.options();
    let ticks = std::sync::atomic::AtomicI64::new(1000);
    options = options.clock(move || ticks.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
    let store = open(options).await.unwrap();
    let unit = run(&store, async |work: &mut Work| -> Result<(i64, i64), StoreError> {
        let before = work.now();
        work.put(&Order::new("a", 1)).await?;
        Ok((before, work.now()))
    });
    let ((before, after), _) = unit.await.unwrap();
    assert_eq!(before, after);
    let time = sample::events(&store).await[0].time.unwrap();
    assert_eq!(time.seconds * 1000 + i64::from(time.nanos) / 1_000_000, before);
}

async fn constraints_are_told_apart(database: Database) {
    let store = database.open().await;
    for (sql, expected) in [
        ("INSERT INTO orders (id, cents) VALUES ('a', 1), ('a', 2)", Constraint::Unique),
        ("INSERT INTO orders (id, cents) VALUES ('a', -1)", Constraint::Check),
        ("INSERT INTO orders (id, cents) VALUES ('a', NULL)", Constraint::NotNull),
        ("INSERT INTO line (order_id, product) VALUES ('none', 'p')", Constraint::ForeignKey),
    ] {
        let unit = run(&store, async move |work: &mut Work| work.exec(sql, vals![]).await);
        let error = unit.await.unwrap_err();
        assert!(matches!(error, StoreError::Constraint { kind, .. } if kind == expected), "{sql}: {error}");
    }
}

async fn a_table_can_be_defined_at_run_time(database: Database) {
    let store = database.open().await;
    let unit = run(&store, async |work: &mut Work| -> Result<u64, StoreError> {
        work.define("CREATE TABLE copy (id TEXT PRIMARY KEY, flag BOOLEAN, raw BLOB) STRICT;").await?;
        work.exec("INSERT INTO copy (id, flag, raw) VALUES ($1, $2, $3)", vals!["a", true, vec![1_u8]]).await
    });
    assert_eq!(unit.await.unwrap().0, 1);
    assert_eq!(sample::count(&store, "SELECT count(*) AS n FROM copy WHERE flag").await, 1);
}

async fn many_units_at_once_lose_nothing(database: Database) {
    let store = database.open().await;
    let units = (0..200).map(|number: i64| {
        let store = store.clone();
        tokio::spawn(async move {
            let unit = run(&store, async move |work: &mut Work| -> Result<i64, StoreError> {
                insert(work, &number.to_string(), number).await?;
                work.emit(&Paid::new(&format!("key-{}", number % 5))).await
            });
            unit.await.unwrap()
        })
    });
    for unit in units.collect::<Vec<_>>() {
        unit.await.unwrap();
    }
    assert_eq!(sample::orders(&store).await, 200);
    let events = sample::events(&store).await;
    for key in 0..5 {
        let of_key = events.iter().filter(|event| event.subject == format!("key-{key}"));
        let versions: Vec<i64> = of_key.map(|event| event.version).collect();
        assert_eq!(versions, (1..=40).collect::<Vec<_>>());
    }
}
