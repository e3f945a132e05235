//! What a read of a copy returns at each level: fresh, waiting, stale, owner away.

use std::time::Duration;

use freehold_events::feed::READ_TOO_LARGE;
use freehold_store::{StoreError, Work};
use freehold_wire::feed::FeedService;
use freehold_wire::pb::{ReadRequest, Token};
use freehold_wire::{Session, reason};

use crate::fixture::{
    Catalog, Failing, Product, ProductCopy, SOON, ServedStale, Shop, Way, context, eventually, name, product,
};
use crate::{Copied, Level, LevelName, Replica, ReplicaError, Source};
use freehold_testkit::engines;

const MOMENT: Duration = Duration::from_millis(50);

async fn price<T: Copied + Into<i64>>(shop: &Shop, key: i64) -> i64 {
    let row = Replica::<T>::get(&mut shop.store.read().await.unwrap(), &name(key)).await.unwrap();
    row.unwrap().value.into()
}

impl From<ProductCopy> for i64 {
    fn from(copy: ProductCopy) -> Self {
        copy.price_cents
    }
}

/// R17: a token that is ahead of the copy is waited for, and read.
#[tokio::test]
async fn a_causal_read_waits_for_its_own_write() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let way = Way::sound(catalog.feed());
    let (replica, handle) = shop.copied::<ProductCopy>(&way).await;
    way.hold(true);
    let session = Session::of([catalog.put(0, 2).await]);
    assert_eq!(
        price::<ProductCopy>(&shop, 0).await,
        1,
        "the planted bug, a read without its token, sees the past"
    );
    let waiting = replica.at(Level::Causal(&session), SOON);
    let release = async { way.hold(false) };
    let (achieved, ()) = tokio::join!(waiting, release);
    let achieved = achieved.unwrap();
    assert_eq!((achieved.level(), achieved.source()), (LevelName::Causal, Source::Copy));
    assert_eq!(price::<ProductCopy>(&shop, 0).await, 2);
    handle.stop().await;
}

/// R17: when the budget is spent, what the contract declares comes, and the answer says so.
#[tokio::test]
async fn a_level_that_is_not_met_in_time_is_served_as_declared() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let way = Way::sound(catalog.feed());
    let (asking, handle) = shop.copied::<ProductCopy>(&way).await;
    way.hold(true);
    let session = Session::of([catalog.put(0, 2).await]);
    let achieved = asking.at(Level::Causal(&session), MOMENT).await.unwrap();
    assert_eq!((achieved.level(), achieved.source()), (LevelName::Causal, Source::Owner));
    let (rows, achieved) = asking.rows(&[name(0), name(9)], Level::Causal(&session), MOMENT).await.unwrap();
    assert_eq!((rows.len(), rows[0].value.price_cents, rows[0].version), (1, 2, 2));
    assert_eq!(achieved.source(), Source::Owner);
    handle.stop().await;
}

#[tokio::test]
async fn a_stale_copy_is_served_with_its_age_where_declared() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let way = Way::sound(catalog.feed());
    let (replica, handle) = shop.copied::<ServedStale>(&way).await;
    way.hold(true);
    let session = Session::of([catalog.put(0, 2).await]);
    let achieved = replica.at(Level::Causal(&session), MOMENT).await.unwrap();
    assert_eq!(
        (achieved.level(), achieved.source()),
        (LevelName::Eventual, Source::Copy),
        "it says what it is"
    );
    assert!(achieved.age().unwrap() >= MOMENT);
    handle.stop().await;
}

#[tokio::test]
async fn a_stale_copy_fails_where_declared() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let way = Way::sound(catalog.feed());
    let (replica, handle) = shop.copied::<Failing>(&way).await;
    way.hold(true);
    let session = Session::of([catalog.put(0, 2).await]);
    let stale = replica.at(Level::Causal(&session), MOMENT).await.unwrap_err();
    assert!(matches!(stale, ReplicaError::Stale { .. }), "{stale}");
    handle.stop().await;
}

/// R16: a session without a token of this owner asks for nothing of it.
#[tokio::test]
async fn a_token_of_another_owner_is_no_business_of_the_copy() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let (replica, handle) = shop.copied::<Failing>(&Way::sound(catalog.feed())).await;
    let session = Session::of([Token::default().with_owner("users").with_epoch(1).with_mark(i64::MAX)]);
    assert_eq!(replica.at(Level::Causal(&session), MOMENT).await.unwrap().level(), LevelName::Causal);
    handle.stop().await;
}

/// R14: a token that the owner never gave out is an error at once, not a wait.
#[tokio::test]
async fn a_token_of_no_history_is_an_error() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let (replica, handle) = shop.copied::<Failing>(&Way::sound(catalog.feed())).await;
    let session = Session::of([Token::default().with_owner("catalog").with_epoch(1).with_mark(1)]);
    let refused = replica.at(Level::Causal(&session), SOON).await.unwrap_err();
    assert!(matches!(refused, ReplicaError::Token(_)), "{refused}");
    handle.stop().await;
}

#[tokio::test]
async fn a_strong_read_sees_all_that_was_committed_before_it() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let (replica, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    for round in 1..=20 {
        catalog.put(0, round).await;
        let achieved = replica.at(Level::Strong, SOON).await.unwrap();
        assert_eq!((achieved.level(), achieved.source()), (LevelName::Strong, Source::Copy));
        assert_eq!(price::<ProductCopy>(&shop, 0).await, round);
    }
    handle.stop().await;
}

/// R7: a bounded read ages with the silence of its owner.
#[tokio::test]
async fn a_bounded_read_does_not_take_an_old_copy() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let way = Way::sound(catalog.feed());
    let (replica, handle) = shop.copied::<Failing>(&way).await;
    let achieved = replica.at(Level::Bounded(SOON), MOMENT).await.unwrap();
    assert!(achieved.age().unwrap() < SOON);
    way.hold(true);
    let aged = || async { replica.at(Level::Bounded(MOMENT), Duration::ZERO).await.is_err() };
    eventually("an old copy", aged).await;
    assert!(
        replica.at(Level::Bounded(SOON), MOMENT).await.is_ok(),
        "within a wider bound it is young enough"
    );
    handle.stop().await;
}

/// R13: with the owner down, what the copy has is read with its true age; a strong read fails fast.
#[tokio::test]
async fn an_owner_that_is_down_leaves_what_the_copy_has() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    let session = Session::of([catalog.put(0, 1).await]);
    let way = Way::sound(catalog.feed());
    let (replica, handle) = shop.copied::<ProductCopy>(&way).await;
    way.up(false);
    assert!(matches!(replica.at(Level::Strong, SOON).await, Err(ReplicaError::Owner(_))));
    assert_eq!(replica.at(Level::Causal(&session), MOMENT).await.unwrap().source(), Source::Copy);
    let older = |than: Duration| async move { than };
    let first = replica.at(Level::Eventual, MOMENT).await.unwrap().age().unwrap();
    let aging =
        || async { replica.at(Level::Eventual, MOMENT).await.unwrap().age().unwrap() > older(first).await };
    eventually("a growing age", aging).await;
    handle.stop().await;

    // After a restart, still without its owner.
    let shop = shop.restart().await;
    let replica: Replica<ProductCopy> = shop.copy(&way).await;
    let achieved = replica.at(Level::Causal(&session), MOMENT).await.unwrap();
    assert_eq!(achieved.source(), Source::Copy);
    assert!(achieved.age().is_some());
}

/// R5: a copy that has never been complete is not read, at any level.
#[tokio::test]
async fn a_copy_that_is_not_complete_is_not_read() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let way = Way::sound(catalog.feed());
    let failing: Replica<Failing> = shop.copy(&way).await;
    let refused = failing.at(Level::Eventual, MOMENT).await.unwrap_err();
    assert!(matches!(refused, ReplicaError::NotReady(_)), "{refused}");
}

/// R6: a copy of a history that its owner no longer has is not read on.
#[tokio::test]
async fn a_lost_history_is_a_typed_error() {
    let (catalog, other, shop) = (Catalog::open().await, Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    handle.stop().await;
    other.put_all(0..9, 1).await;
    let way = Way::sound(other.feed());
    let replica: Replica<ProductCopy> = shop.copy(&way).await;
    let handle = shop.start(&replica, &way);
    let lost = || async {
        matches!(replica.at(Level::Eventual, MOMENT).await, Err(ReplicaError::HistoryLost { .. }))
    };
    eventually("the loss", lost).await;
    assert_eq!(price::<ProductCopy>(&shop, 0).await, 1, "nothing of the other history was mixed in");
    handle.stop().await;
}

/// R6: a copy that is ahead of an owner restored from a backup is not taken for a fresh one, before its applier has
/// heard of the restore.
#[tokio::test]
async fn a_copy_of_a_lost_history_is_neither_strong_nor_causal() {
    if engines::is_about_postgres() {
        return; // A backup is a copy of files here.
    }
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let restored = catalog.backup().await;
    catalog.put(0, 2).await;
    let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    handle.stop().await;
    let session = Session::of([restored.put(0, 3).await]);
    let replica: Replica<ProductCopy> = shop.copy(&Way::sound(restored.feed())).await;
    for level in [Level::Strong, Level::Causal(&session)] {
        let refused = replica.at(level, MOMENT).await;
        assert!(matches!(refused, Err(ReplicaError::HistoryLost { .. })), "{refused:?}");
    }
}

/// R7: a copy that comes back and is catching up is as old as what it has come to, not as its last commit.
#[tokio::test]
async fn a_copy_that_restarts_while_it_catches_up_claims_no_freshness() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put(0, 1).await;
    let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    handle.stop().await;
    catalog.put(0, 2).await;
    shop.exec("UPDATE freehold_position SET moved_ms = moved_ms - 7200000").await.unwrap();
    // What it catches up with was written two hours ago; no heartbeat says that nothing is behind it.
    let way = Way::sound(catalog.feed()).aged(2 * HOUR);
    let replica: Replica<ProductCopy> = shop.copy(&way).await;
    let handle = shop.start(&replica, &way);
    eventually("the event", || async { price::<ProductCopy>(&shop, 0).await == 2 }).await;
    handle.stop().await;
    let shop = shop.restart().await;
    let replica: Replica<ProductCopy> = shop.copy(&way).await;
    assert!(replica.at(Level::Eventual, MOMENT).await.unwrap().age().unwrap() > HOUR);
    assert!(!matches!(
        replica.at(Level::Bounded(HOUR), MOMENT).await,
        Ok(achieved) if achieved.level() == LevelName::Bounded && achieved.source() == Source::Copy
    ));
}

/// Rows that are too large for one reply are fetched by fewer keys at once.
#[tokio::test]
async fn rows_of_any_size_are_fetched_from_the_owner() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    for key in 0..12 {
        let large = Product { name: "x".repeat(1_000_000), ..product(key, key) };
        let unit = async move |work: &mut Work| work.put(&large).await;
        catalog.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    }
    let replica: Replica<ProductCopy> = shop.copy(&Way::sound(catalog.feed())).await;
    let keys: Vec<_> = (0..12).rev().map(name).collect();
    let rows = replica.fetch(&keys, SOON).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.value.id.clone()).collect::<Vec<_>>(), keys);
    let at_once = ReadRequest::default().with_entity(ProductCopy::OF).with_keys(keys);
    let refused = catalog.feed().read(context(), at_once).await.unwrap_err();
    assert_eq!(reason::of(&refused), READ_TOO_LARGE, "the planted bug, one call for all keys, fails");
}
