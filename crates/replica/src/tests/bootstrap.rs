//! How a copy comes to be while its owner writes on, and how it stays right under damage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_client::FeedStub;
use freehold_events::State;
use freehold_store::{Queries, StoreError, Work, outbox, vals};
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{SnapshotRequest, SubscribeRequest};
use futures_util::FutureExt;
use prost::Message;

use crate::fixture::{
    Catalog, FutureCopy, Praised, Product, ProductCopy, Rows, SOON, Shop, Way, WiderCopy, context, delete,
    eventually, name, put,
};
use crate::{Copied, Replica};
use freehold_testkit::engines;

/// After each chunk that the owner has read, and before it arrives: changes before and behind the cursor, deletions,
/// re-creations, new keys.
fn busy(catalog: &Catalog) -> Way {
    let store = catalog.store.clone();
    Way::sound(catalog.feed()).chunk(move |chunk| {
        let store = store.clone();
        async move {
            let at = i64::try_from(chunk).unwrap();
            for key in [at, 19 - at, 4, 5, 6] {
                put(&store, key, 1000 + at).await;
            }
            delete(&store, 3 + at).await;
            delete(&store, 16 - at).await;
            put(&store, 3 + at, 2000 + at).await;
            put(&store, 100 + at, 3000).await;
            delete(&store, 7).await;
            true
        }
        .boxed()
    })
}

/// A copy without versions: what arrives last is taken. The bug that the tests below look for.
async fn naive(way: &Way, until: usize) -> Rows {
    let mut copy = BTreeMap::new();
    let options = freehold_client::CallOptions::new();
    let subscribe =
        SubscribeRequest::default().with_subscription("orders/naive").with_types([ProductCopy::OF]);
    let mut stream = way.subscribe(subscribe, &options).await.unwrap();
    let mut events = 0;
    let mut chunks =
        way.snapshot(SnapshotRequest::default().with_entity(ProductCopy::OF), &options).await.unwrap();
    let mut rows = Vec::new();
    while let Some(chunk) = chunks.next().await {
        rows.extend(chunk.unwrap().rows);
    }
    while events < until {
        if let Some(Item::Event(event)) = stream.next().await.unwrap().unwrap().item {
            events += 1;
            copy.insert(event.subject, (event.data, event.version));
        }
    }
    for row in rows {
        copy.insert(row.key, (row.data, row.version));
    }
    let row = |(key, (data, version)): (String, (Option<Vec<u8>>, i64))| {
        Some((key, Product::decode(data?.as_slice()).unwrap().price_cents, version))
    };
    copy.into_iter().filter_map(row).collect()
}

/// R1, R2: rows that meet newer events, deletions during the snapshot, re-creations: the higher version wins.
#[tokio::test]
async fn a_copy_is_right_although_its_owner_writes_while_it_is_made() {
    for database in engines::each().await {
        let catalog = Catalog::open().await;
        catalog.put_all(0..20, 1).await;
        let shop = Shop::on(database).await;
        let (replica, handle) = shop.copied::<ProductCopy>(&busy(&catalog)).await;
        assert!(replica.is_ready());
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(shop.rows().await, catalog.rows().await);
        handle.stop().await;

        let bugged = Catalog::open().await;
        bugged.put_all(0..20, 1).await;
        let found = naive(&busy(&bugged), 20).await;
        assert_ne!(found, bugged.rows().await, "the planted bug is seen");
    }
}

/// R2: a tombstone stays; a re-created key comes back with a higher version.
#[tokio::test]
async fn deleted_stays_deleted_until_a_higher_version() {
    for database in engines::each().await {
        let (catalog, shop) = (Catalog::open().await, Shop::on(database).await);
        catalog.put_all(0..3, 1).await;
        let way = Way::sound(catalog.feed());
        let (_, handle) = shop.copied::<ProductCopy>(&way).await;
        catalog.delete(1).await;
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(
            shop.count("SELECT count(*) AS n FROM product_copy WHERE name IS NULL AND freehold_deleted")
                .await,
            1
        );
        assert_eq!(shop.rows().await, catalog.rows().await);
        catalog.put(1, 9).await;
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(shop.rows().await[1], (name(1), 9, 3));
        handle.stop().await;
    }
}

/// A change that was erased before the copy read it leaves nothing of the key's older fields under its version.
#[tokio::test]
async fn an_erased_change_shows_no_older_fields() {
    for database in engines::each().await {
        let (catalog, shop) = (Catalog::open().await, Shop::on(database).await);
        catalog.put_all(0..2, 1).await;
        let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
        handle.stop().await;
        catalog.put(0, 2).await;
        let unit = async |work: &mut Work| work.erase::<Product>(&name(0)).await;
        catalog.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
        // The tombstone behind the erased change has not come yet.
        let way = Way::sound(catalog.feed()).damage(|item| match item {
            Item::Event(event) => usize::from(!event.deleted),
            _ => 1,
        });
        let (_, handle) = shop.copied::<ProductCopy>(&way).await;
        assert_eq!(shop.rows().await, [(name(1), 1, 1)]);
        let hidden = "SELECT freehold_version AS n FROM product_copy WHERE freehold_deleted AND name IS NULL";
        assert_eq!(shop.count(hidden).await, 2);
        handle.stop().await;
    }
}

/// R3: each event up to five times, one in seven lost on its first way: nothing is skipped, nothing applied twice.
#[tokio::test]
async fn damage_on_the_way_leaves_no_trace() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let mut heard = std::collections::HashSet::new();
    let way = Way::sound(catalog.feed()).damage(move |item| match item {
        Item::Event(event) => {
            let mark = event.position.as_ref().unwrap().mark;
            // What is lost behind the last event of a key shows with the next one only.
            let lost = mark % 7 == 0 && mark <= 90 && heard.insert(mark);
            if lost { 0 } else { usize::try_from(mark % 5).unwrap() + 1 }
        }
        _ => 1,
    });
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    for round in 0..10 {
        catalog.put_all(0..10, round).await;
    }
    eventually("the same rows", || async { shop.rows().await == catalog.rows().await }).await;
    handle.stop().await;
}

/// R3: what stays lost is copied anew in the end, and freshness is not claimed meanwhile.
#[tokio::test]
async fn a_version_that_never_comes_leads_to_a_new_copy() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let way = Way::sound(catalog.feed()).damage(|item| match item {
        Item::Event(event) => usize::from(event.version != 2),
        _ => 1,
    });
    let (replica, handle) = shop.copied::<ProductCopy>(&way).await;
    catalog.put(0, 1).await;
    handle.caught_up(SOON).await.unwrap();
    catalog.put(0, 2).await;
    catalog.put(0, 3).await;
    handle.caught_up(SOON).await.unwrap();
    eventually("the new copy", || async { replica.is_ready() }).await;
    assert_eq!(shop.rows().await, catalog.rows().await);
    assert_eq!(way.snapshots.lock().unwrap().len(), 2);
    handle.stop().await;
}

/// R5: a snapshot that is broken off goes on at its key; readers see nothing of it until it is whole.
#[tokio::test]
async fn a_broken_snapshot_resumes_and_is_never_seen_half() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put_all(0..20, 1).await;
    let breaks = Arc::new(AtomicUsize::new(0));
    let broken = Arc::clone(&breaks);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (store, counts) = (shop.store.clone(), Arc::clone(&seen));
    // Every chunk but the first of each attempt is broken off.
    let way = Way::sound(catalog.feed()).chunk(move |chunk| {
        let (store, counts, broken) = (store.clone(), Arc::clone(&counts), Arc::clone(&broken));
        async move {
            let seen = (count(&store, MAIN).await, count(&store, NEXT).await);
            counts.lock().unwrap().push(seen);
            let arrives = chunk == 0 || broken.load(Ordering::SeqCst) > 3;
            broken.fetch_add(usize::from(!arrives), Ordering::SeqCst);
            arrives
        }
        .boxed()
    });
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    assert_eq!(shop.rows().await, catalog.rows().await);
    let resumed = way.snapshots.lock().unwrap().clone();
    assert_eq!(resumed[..4], ["", "p004", "p009", "p014"]);
    let seen = seen.lock().unwrap().clone();
    assert!(seen.iter().all(|(main, _)| *main == 0), "a reader saw half of a copy: {seen:?}");
    assert!(
        seen.iter().any(|(_, next)| (1..20).contains(next)),
        "a copy made in place would have been seen half"
    );
    handle.stop().await;
}

/// A copy whose place in the feed was given up, and whose next events are gone, is made anew. The planted bug, reading on from
/// what is left, would lack a product and show another as it was.
#[tokio::test]
async fn a_copy_that_was_left_behind_is_made_anew() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put_all(0..3, 1).await;
    let way = Way::sound(catalog.feed());
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    handle.stop().await;
    catalog.put_all(2..5, 2).await;
    let seen = catalog.store.head().mark();
    let purge = async move |work: &mut Work| {
        work.exec("DELETE FROM freehold_subscription", vals![]).await?;
        while outbox::purge(work, seen, i64::MAX).await? {}
        Ok(())
    };
    catalog.store.unit::<_, StoreError, _>(&context(), purge).await.unwrap();
    catalog.put(0, 3).await;
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    assert_eq!(shop.rows().await, catalog.rows().await);
    handle.stop().await;
}

/// R6: a snapshot that began before its owner was restored is not completed with rows of the other history.
#[tokio::test]
async fn a_snapshot_is_not_resumed_across_a_restore() {
    if engines::is_about_postgres() {
        return; // A backup is a copy of files here.
    }
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put_all(0..20, 1).await;
    let restored = catalog.backup().await;
    let way = Way::sound(catalog.feed()).chunk(|chunk| std::future::ready(chunk == 0).boxed());
    let handle = shop.start(&shop.copy::<ProductCopy>(&way).await, &way);
    eventually("a second attempt", || async { way.snapshots.lock().unwrap().len() > 1 }).await;
    handle.stop().await;
    // The last chunk that came was of mark 25, which the backup has not.
    shop.exec("UPDATE freehold_replica SET bound = 25").await.unwrap();
    restored.put_all(10..20, 7).await;
    let way = Way::sound(restored.feed());
    let replica = shop.copy::<ProductCopy>(&way).await;
    let handle = shop.start(&replica, &way);
    let lost = || async { matches!(handle.status().await.unwrap()[0].state, State::HistoryLost(_)) };
    eventually("the loss", lost).await;
    assert!(!replica.is_ready());
    handle.stop().await;
}

const MAIN: &str = "SELECT count(*) AS n FROM product_copy";
const NEXT: &str = "SELECT count(*) AS n FROM product_copy_next";

async fn count(store: &freehold_store::Store, sql: &'static str) -> i64 {
    use freehold_store::{Queries, vals};
    store.read().await.unwrap().one(sql, vals![]).await.unwrap().unwrap().get("n").unwrap()
}

/// R8: a copy that gets a field is not ready until the field is filled, and goes on afterwards.
#[tokio::test]
async fn a_new_field_is_filled_before_the_copy_is_read_again() {
    for database in engines::each().await {
        let (catalog, shop) = (Catalog::open().await, Shop::on(database).await);
        catalog.put_all(0..3, 1).await;
        let way = Way::sound(catalog.feed());
        let (_, handle) = shop.copied::<ProductCopy>(&way).await;
        handle.stop().await;
        let shop = shop.restart().await;
        catalog.put(0, 2).await;
        let wider: Replica<WiderCopy> = shop.copy(&way).await;
        assert!(!wider.is_ready());
        assert_eq!(shop.count("SELECT count(*) AS n FROM product_copy WHERE state IS NULL").await, 3);
        let handle = shop.start(&wider, &way);
        handle.caught_up(SOON).await.unwrap();
        assert!(wider.is_ready());
        assert_eq!(shop.rows().await, catalog.rows().await);
        let row = Replica::<WiderCopy>::get(&mut shop.store.read().await.unwrap(), &name(0))
            .await
            .unwrap()
            .unwrap();
        // R9: a number that names no state today is kept as it is.
        assert_eq!((row.value.state, row.value.price_cents, row.version), (99, 2, 2));
        handle.stop().await;
    }
}

/// Events that are no change move the version alone, also before the first change.
#[tokio::test]
async fn events_between_changes_leave_no_gap() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let praise = || async {
        let unit = async |work: &mut Work| work.emit(&Praised { id: name(0) }).await;
        catalog.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    };
    praise().await;
    let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    catalog.put(0, 1).await;
    praise().await;
    catalog.put(0, 2).await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(shop.rows().await, [(name(0), 2, 4)]);
    assert_eq!(handle.status().await.unwrap()[0].state, State::Live);
    handle.stop().await;
}

/// E32's sibling: data that does not decode leaves a hole on record; all other keys go on.
#[tokio::test]
async fn a_change_that_does_not_decode_leaves_a_hole_on_record() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let unit = async |work: &mut Work| {
        work.put(&Product { id: name(0), price_cents: 5, ..Product::default() }).await
    };
    catalog.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    catalog.put(1, 1).await;
    let (_, handle) = shop.copied::<FutureCopy>(&Way::sound(catalog.feed())).await;
    let mut read = shop.store.read().await.unwrap();
    assert!(Replica::<FutureCopy>::get(&mut read, &name(0)).await.unwrap().is_some());
    assert!(Replica::<FutureCopy>::get(&mut read, &name(1)).await.unwrap().is_none());
    drop(read);
    assert_eq!(
        shop.count("SELECT count(*) AS n FROM freehold_undecoded WHERE key = 'p001' AND length(data) > 0")
            .await,
        1
    );
    let unit = async |work: &mut Work| {
        work.put(&Product { id: name(1), price_cents: 6, ..Product::default() }).await
    };
    catalog.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(
        shop.count("SELECT count(*) AS n FROM freehold_undecoded").await,
        0,
        "the next change heals it"
    );
    handle.stop().await;
}
