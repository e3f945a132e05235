//! R4, R5: an applier that dies at any line leaves a copy that goes on as if it had not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Replica;
use crate::fault::{Faults, Point};
use crate::fixture::{Catalog, ProductCopy, Shop, Way, eventually};
use freehold_testkit::engines;

/// R4, R5: killed at every line of snapshot and feed, the copy ends as its owner.
#[tokio::test]
async fn an_applier_killed_at_any_point_ends_as_its_owner() {
    use Point::{AfterChunk, AfterCommit, AfterReplace, BeforePosition, InChunk};
    for point in [InChunk, AfterChunk, BeforePosition, AfterReplace, AfterCommit] {
        for nth in [1, 2, 3] {
            for database in engines::each().await {
                killed_at(database, point, nth).await;
            }
        }
    }
}

async fn killed_at(database: engines::Database, point: Point, nth: usize) {
    let (catalog, shop) = (Catalog::open().await, Shop::on(database).await);
    catalog.put_all(0..12, 1).await;
    let way = Way::sound(catalog.feed());
    let (hits, deaths) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, died) = (Arc::clone(&hits), Arc::clone(&deaths));
    let dies = move |at: Point| {
        let is_it = at == point && counted.fetch_add(1, Ordering::SeqCst) + 1 >= nth;
        died.fetch_add(usize::from(is_it), Ordering::SeqCst);
        is_it
    };
    let replica: Replica<ProductCopy> = shop.copy(&way).await.faults(Faults { dies: Some(Arc::new(dies)) });
    let handle = shop.start(&replica, &way);
    for round in 2..5 {
        catalog.put_all(0..12, round).await;
        catalog.delete(round).await;
    }
    // Some points are passed only once.
    let over = || async { deaths.load(Ordering::SeqCst) > 0 || shop.rows().await == catalog.rows().await };
    eventually("the kill", over).await;
    handle.stop().await;
    let shop = shop.restart().await;
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    assert_eq!(shop.rows().await, catalog.rows().await, "{point:?} {nth}");
    handle.stop().await;
}

/// R4: the planted bug, a position that was moved without its rows, is seen by the same oracle.
#[tokio::test]
async fn a_position_moved_without_its_rows_would_be_seen() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put_all(0..3, 1).await;
    let way = Way::sound(catalog.feed());
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    handle.stop().await;
    catalog.put_all(0..3, 2).await;
    shop.exec("UPDATE freehold_position SET mark = mark + 3").await.unwrap();
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    assert_ne!(shop.rows().await, catalog.rows().await);
    handle.stop().await;
}

/// The owner dies and comes back: the copy goes on in the new epoch.
#[tokio::test]
async fn a_copy_goes_on_over_a_restart_of_its_owner() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put_all(0..3, 1).await;
    let way = Way::sound(catalog.feed());
    let (_, handle) = shop.copied::<ProductCopy>(&way).await;
    handle.stop().await;
    drop(way);
    let catalog = catalog.restart().await;
    catalog.put_all(0..3, 2).await;
    let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    assert_eq!(shop.rows().await, catalog.rows().await);
    handle.stop().await;
}
