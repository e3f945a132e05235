//! A keyed write takes effect once, however often and however concurrently it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use freehold_store::{Queries, Store, StoreError, Work, calls, vals};
use freehold_wire::tonic::{Code, Status};
use freehold_wire::{Committed, Context, Coverage, reason};
use tokio::sync::Barrier;

use crate::engines::{Database, open};
use crate::sample::{self, Order, context, insert, run};

on_each_engine! {
    a_reply_that_was_lost_is_given_again,
    the_same_key_at_the_same_time_runs_once,
    the_same_key_with_another_payload_is_refused,
    a_key_is_its_callers_own,
    a_refusal_is_not_recorded,
    a_replayed_reply_has_the_token_of_the_first,
    old_records_are_purged,
    a_record_of_more_than_seven_days_is_none,
    any_commit_and_any_start_purge,
    a_keyed_call_is_found_by_what_it_touched,
}

fn keyed(key: &str, request: &Order) -> Context {
    context().with_key(key).with_request(request)
}

/// Places an order under a key; every run of the handler adds a row.
async fn place(store: &Store, context: &Context) -> Result<Committed<Order>, StoreError> {
    store.write(context, place_order).await
}

async fn place_order(work: &mut Work) -> Result<Order, StoreError> {
    let id = uuid::Uuid::now_v7().to_string();
    insert(work, &id, 1).await?;
    work.put(&Order::new(&id, 1)).await?;
    Ok(Order::new(&id, 1))
}

/// C12. The planted bug sends the same write without a key.
async fn a_reply_that_was_lost_is_given_again(database: Database) {
    let store = database.open().await;
    let request = Order::new("r", 1);
    let lost = place(&store, &keyed("k", &request)).await.unwrap();
    let again = place(&store, &keyed("k", &request)).await.unwrap();
    assert_eq!(lost.reply(), again.reply());
    assert_eq!((lost.replayed(), again.replayed()), (false, true));
    assert_eq!(sample::orders(&store).await, 1);
    store.close().await;
    let store = database.open().await;
    let after_restart = place(&store, &keyed("k", &request)).await.unwrap();
    assert_eq!(after_restart.reply(), lost.reply());
    assert_eq!(sample::orders(&store).await, 1);
    for _ in 0..2 {
        place(&store, &context()).await.unwrap();
    }
    assert_ne!(sample::orders(&store).await, 2, "the planted bug must be found");
}

/// C13. The planted bug looks whether the key is taken before the unit that takes it.
async fn the_same_key_at_the_same_time_runs_once(database: Database) {
    let store = database.open().await;
    let request = Order::new("r", 1);
    let replies = at_once(|_| async { place(&store, &keyed("k", &request)).await.unwrap() }).await;
    assert_eq!(sample::orders(&store).await, 1);
    assert_eq!(replies.iter().filter(|reply| !reply.replayed()).count(), 1);
    assert!(replies.iter().all(|reply| reply.reply() == replies[0].reply()));

    let both_have_looked = Barrier::new(16);
    let (store, both_have_looked) = (&store, &both_have_looked);
    at_once(|number| async move {
        let taken = sample::count(store, "SELECT count(*) AS n FROM naive_log WHERE key = 'k'").await;
        both_have_looked.wait().await;
        if taken == 0 {
            let unit = run(store, async move |work: &mut Work| {
                work.exec("INSERT INTO naive_log (mark, key) VALUES ($1, 'k')", vals![number]).await
            });
            unit.await.unwrap();
        }
    })
    .await;
    let naive = sample::count(store, "SELECT count(*) AS n FROM naive_log WHERE key = 'k'").await;
    assert_ne!(naive, 1, "the planted bug must be found");
}

/// Does something 16 times at once.
async fn at_once<Doing: Future>(what: impl Fn(i64) -> Doing) -> Vec<Doing::Output> {
    futures_util::future::join_all((0..16).map(what)).await
}

/// C13, the other half.
async fn the_same_key_with_another_payload_is_refused(database: Database) {
    let store = database.open().await;
    place(&store, &keyed("k", &Order::new("r", 1))).await.unwrap();
    let other = place(&store, &keyed("k", &Order::new("r", 2))).await.unwrap_err();
    assert!(matches!(other, StoreError::KeyReused));
    let status = Status::from(other);
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(reason::of(&status), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_key_is_its_callers_own(database: Database) {
    let store = database.open().await;
    let request = Order::new("r", 1);
    for caller in ["demo", "gateway"] {
        let context = Context::new(caller, Duration::from_secs(60)).with_key("k").with_request(&request);
        assert!(!place(&store, &context).await.unwrap().replayed());
    }
    assert_eq!(sample::orders(&store).await, 2);
}

async fn a_refusal_is_not_recorded(database: Database) {
    let store = database.open().await;
    let context = keyed("k", &Order::new("r", 1));
    let refused = store.write(&context, async |work: &mut Work| -> Result<Order, StoreError> {
        place_order(work).await?;
        Err(StoreError::Busy("planted"))
    });
    assert!(matches!(refused.await, Err(StoreError::Busy("planted"))));
    assert_eq!(sample::orders(&store).await, 0);
    assert!(!place(&store, &context).await.unwrap().replayed());
}

/// On PostgreSQL the mark comes after the commit that records the reply, so there it may be a later one.
async fn a_replayed_reply_has_the_token_of_the_first(database: Database) {
    let store = database.open().await;
    let context = keyed("k", &Order::new("r", 1));
    let first = place(&store, &context).await.unwrap();
    place(&store, &keyed("other", &Order::new("r", 1))).await.unwrap();
    let again = place(&store, &context).await.unwrap();
    assert!(again.token() == first.token() || database.is_postgres());
    assert!(again.token().mark >= first.token().mark);
    store.close().await;
    let store = database.open().await;
    let later = place(&store, &context).await.unwrap();
    let of_its_epoch = later.token() == first.token();
    assert!(of_its_epoch || database.is_postgres(), "of the epoch in which it was committed");
    assert_eq!(store.head().covers(later.token()), Ok(Coverage::Covered));
}

const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;
const RECORDS: &str = "SELECT count(*) AS n FROM freehold_idempotency";
const NOTES: &str = "SELECT count(*) AS n FROM freehold_touched";

/// A clock that stands until it is moved.
fn clock() -> Arc<AtomicI64> {
    Arc::new(AtomicI64::new(1_000_000))
}

async fn open_at(database: &Database, now: &Arc<AtomicI64>) -> Store {
    let now = now.clone();
    open(database.options().clock(move || now.load(Ordering::SeqCst))).await.unwrap()
}

/// Waits until there are so many records, and keys that they touched.
async fn are_left(store: &Store, records: i64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while (sample::count(store, RECORDS).await, sample::count(store, NOTES).await) != (records, records) {
        assert!(Instant::now() < deadline, "the records were not purged");
        tokio::task::yield_now().await;
    }
}

async fn old_records_are_purged(database: Database) {
    let now = clock();
    let store = open_at(&database, &now).await;
    for key in ["a", "b", "c"] {
        place(&store, &keyed(key, &Order::new("r", 1))).await.unwrap();
    }
    now.fetch_add(WEEK, Ordering::SeqCst);
    assert!(place(&store, &keyed("a", &Order::new("r", 1))).await.unwrap().replayed(), "kept for seven days");
    now.fetch_add(WEEK, Ordering::SeqCst);
    place(&store, &keyed("d", &Order::new("r", 1))).await.unwrap();
    are_left(&store, 1).await;
    assert!(place(&store, &keyed("d", &Order::new("r", 1))).await.unwrap().replayed());
}

/// The first thing that happens after the seven days is the call itself, so nothing has purged its record.
async fn a_record_of_more_than_seven_days_is_none(database: Database) {
    let now = clock();
    let store = open_at(&database, &now).await;
    let first = keyed("a", &Order::new("r", 1));
    place(&store, &first).await.unwrap();
    now.fetch_add(WEEK + 1, Ordering::SeqCst);
    let other = keyed("a", &Order::new("r", 2));
    assert!(!place(&store, &other).await.unwrap().replayed());
    assert_eq!(sample::orders(&store).await, 2);
    assert!(place(&store, &other).await.unwrap().replayed(), "it has a record of its own");
    assert!(matches!(place(&store, &first).await, Err(StoreError::KeyReused)));
}

async fn any_commit_and_any_start_purge(database: Database) {
    let now = clock();
    let store = open_at(&database, &now).await;
    place(&store, &keyed("a", &Order::new("r", 1))).await.unwrap();
    now.fetch_add(WEEK + 1, Ordering::SeqCst);
    run(&store, async |work: &mut Work| insert(work, "unkeyed", 1).await).await.unwrap();
    are_left(&store, 0).await;

    run(&store, async |work: &mut Work| more_than_one_unit_purges(work).await).await.unwrap();
    store.close().await;
    drop(store);
    now.fetch_add(WEEK + 1, Ordering::SeqCst);
    let store = open_at(&database, &now).await;
    are_left(&store, 0).await;
}

async fn more_than_one_unit_purges(work: &mut Work) -> Result<(), StoreError> {
    const RECORD: &str = "INSERT INTO freehold_idempotency (caller, method, key, request_hash, reply, mark, created_ms) \
                          VALUES ('c', 'm', $1, $2, $2, 0, $3)";
    const NOTE: &str = "INSERT INTO freehold_touched (entity, key, caller, method, idempotency_key, created_ms) \
                        VALUES ('e', 'k', 'c', 'm', $1, $2)";
    let now = work.now();
    for key in 0..1001 {
        work.exec(RECORD, vals![key.to_string(), &[1][..], now]).await?;
        work.exec(NOTE, vals![key.to_string(), now]).await?;
    }
    Ok(())
}

/// The planted bug is a call without a key, which leaves no record.
async fn a_keyed_call_is_found_by_what_it_touched(database: Database) {
    let store = database.open().await;
    let touch = async |context: Context, keys: &'static [&'static str]| {
        let unit = async move |work: &mut Work| {
            for key in keys {
                work.put(&Order::new(key, 1)).await?;
            }
            Ok::<_, StoreError>(Order::new("reply", 1))
        };
        store.write(&context, unit).await.unwrap();
    };
    touch(keyed("first", &Order::new("r", 1)), &["a", "b"]).await;
    touch(keyed("second", &Order::new("r", 1)), &["b"]).await;
    touch(context(), &["b"]).await;
    let found = async |key| {
        let mut read = store.read().await.unwrap();
        calls::that_touched(&mut read, key, 10).await.unwrap()
    };
    assert_eq!((found("a").await.len(), found("b").await.len(), found("c").await.len()), (1, 2, 0));
    let [call] = <[_; 1]>::try_from(found("a").await).unwrap();
    assert_eq!(call.entity, "orders.v1.Order");
    assert_eq!(
        (call.caller.as_str(), call.method.as_str()),
        (context().caller().name().unwrap(), context().method())
    );
    assert!(call.called_ms > 0, "{call:?}");
}
