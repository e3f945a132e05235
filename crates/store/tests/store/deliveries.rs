//! The inbox: an event that is delivered twice, at once or after any time, takes effect once.

use freehold_store::inbox::{Key, Step};
use freehold_store::{Queries, Store, StoreError, Work, inbox, vals};

use crate::engines::Database;
use crate::sample::{self, insert, run};

const SUBSCRIPTION: &str = "orders/test";
const ENTITY: &str = "users.v1.User";

on_each_engine! {
    of_deliveries_at_once_one_takes_effect,
    a_version_never_goes_back,
    a_key_waits_for_nobody_elses,
    a_redelivery_after_any_time_is_recognised,
    a_batch_locks_and_advances_as_its_events_would,
    batches_of_the_same_keys_in_any_order_wait_for_each_other,
}

/// Reacts to a version of a key; answers whether it was news.
async fn deliver(store: &Store, key: &'static str, version: i64) -> bool {
    let unit = run(store, async move |work: &mut Work| -> Result<bool, StoreError> {
        let is_news = inbox::advance(work, SUBSCRIPTION, ENTITY, key, version).await?;
        if is_news {
            insert(work, &uuid::Uuid::now_v7().to_string(), version).await?;
        }
        Ok(is_news)
    });
    unit.await.unwrap().0
}

/// E20, the store's half. The planted bug looks before the unit that notes.
async fn of_deliveries_at_once_one_takes_effect(database: Database) {
    let store = database.open().await;
    let at_once = (0..16).map(|_| deliver(&store, "u", 1));
    let news = futures_util::future::join_all(at_once).await;
    assert_eq!(news.iter().filter(|news| **news).count(), 1);
    assert_eq!(sample::orders(&store).await, 1);

    let all_have_looked = tokio::sync::Barrier::new(16);
    let naive = (0..16).map(|number| {
        let (store, all_have_looked) = (&store, &all_have_looked);
        async move {
            let mut read = store.read().await.unwrap();
            let before = inbox::high_water(&mut read, SUBSCRIPTION, ENTITY, "naive").await.unwrap();
            all_have_looked.wait().await;
            drop(read);
            if before == 0 {
                let effect = run(store, async move |work: &mut Work| -> Result<u64, StoreError> {
                    inbox::advance(work, SUBSCRIPTION, ENTITY, "naive", 1).await?;
                    work.exec("INSERT INTO naive_log (mark) VALUES ($1)", vals![number]).await
                });
                effect.await.unwrap();
            }
        }
    });
    futures_util::future::join_all(naive.collect::<Vec<_>>()).await;
    let effects = sample::count(&store, "SELECT count(*) AS n FROM naive_log").await;
    assert_ne!(effects, 1, "the planted bug must be found");
}

async fn a_version_never_goes_back(database: Database) {
    let store = database.open().await;
    assert!(deliver(&store, "u", 1).await && deliver(&store, "u", 3).await);
    assert!(!deliver(&store, "u", 3).await && !deliver(&store, "u", 2).await);
    let locked = run(&store, async |work: &mut Work| inbox::lock(work, SUBSCRIPTION, ENTITY, "u").await);
    assert_eq!(locked.await.unwrap().0, 3);
}

async fn a_key_waits_for_nobody_elses(database: Database) {
    let store = database.open().await;
    assert!(deliver(&store, "u", 5).await && deliver(&store, "v", 1).await);
    let mut read = store.read().await.unwrap();
    assert_eq!(inbox::high_water(&mut read, SUBSCRIPTION, ENTITY, "v").await.unwrap(), 1);
    assert_eq!(inbox::high_water(&mut read, "orders/another", ENTITY, "v").await.unwrap(), 0);
}

/// E23, the store's half. The planted bug forgets what it has seen after a while.
async fn a_redelivery_after_any_time_is_recognised(database: Database) {
    let store = database.open().await;
    assert!(deliver(&store, "u", 1).await);
    store.close().await;
    let store = database.open().await;
    assert!(!deliver(&store, "u", 1).await);
    let forgets = run(&store, async |work: &mut Work| work.exec("DELETE FROM freehold_inbox", vals![]).await);
    forgets.await.unwrap();
    assert!(deliver(&store, "u", 1).await, "the planted bug must be found");
}

/// One version further for each key.
fn steps<'a>(keys: &'a [Key<'a>], versions: &'a [i64]) -> impl Iterator<Item = Step<'a>> {
    keys.iter().zip(versions).map(|(Key { entity, key, .. }, before)| Step {
        entity,
        key,
        before: *before,
        version: before + 1,
    })
}

/// Keys are bytes: none is taken for another, whatever is written in it.
async fn a_batch_locks_and_advances_as_its_events_would(database: Database) {
    let store = database.open().await;
    assert!(deliver(&store, "u", 5).await);
    let keys = [(ENTITY, "v"), (ENTITY, "u"), ("other", "u"), (ENTITY, "\"[1]\\ \u{1F600}'--")];
    // Right, wrong and impossible.
    let keys =
        [0, 900, 5, -1].into_iter().zip(keys).map(|(likely, (entity, key))| Key { entity, key, likely });
    let keys: Vec<_> = keys.collect();
    let locked = run(&store, async move |work: &mut Work| {
        let before = inbox::lock_all(work, SUBSCRIPTION, &keys).await?;
        let steps: Vec<_> = steps(&keys, &before).collect();
        inbox::advance_all(work, SUBSCRIPTION, &steps).await?;
        Ok::<_, StoreError>((before, inbox::lock_all(work, SUBSCRIPTION, &keys).await?))
    });
    let (before, after) = locked.await.unwrap().0;
    assert_eq!((before, after), (vec![0, 5, 0, 0], vec![1, 6, 1, 1]));
    let none = run(&store, async |work: &mut Work| {
        inbox::advance_all(work, SUBSCRIPTION, &[]).await?;
        inbox::lock_all(work, SUBSCRIPTION, &[]).await
    });
    assert_eq!(none.await.unwrap().0, Vec::<i64>::new());
}

/// Of batches at once each counts up from what the one before has left. Without the lock some would count from the same.
async fn batches_of_the_same_keys_in_any_order_wait_for_each_other(database: Database) {
    const BATCHES: i64 = 16;
    let store = database.open().await;
    let counting = (0..BATCHES).map(|number| {
        run(&store, async move |work: &mut Work| {
            let mut keys = ["a", "b", "c", "d"].map(|key| Key { entity: ENTITY, key, likely: number });
            keys.rotate_left(usize::try_from(number % 4).unwrap_or(0));
            let stands = inbox::lock_all(work, SUBSCRIPTION, &keys).await?;
            let steps: Vec<_> = steps(&keys, &stands).collect();
            inbox::advance_all(work, SUBSCRIPTION, &steps).await
        })
    });
    for counted in futures_util::future::join_all(counting).await {
        counted.unwrap();
    }
    let mut read = store.read().await.unwrap();
    for key in ["a", "b", "c", "d"] {
        assert_eq!(inbox::high_water(&mut read, SUBSCRIPTION, ENTITY, key).await.unwrap(), BATCHES);
    }
}
