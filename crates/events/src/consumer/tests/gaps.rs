//! What is missing: lost versions, a lost history, an owner that was restarted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_store::{StoreError, Work};
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{Envelope, Position};

use crate::consumer::retrier::settle_gaps;
use crate::fixture::{Mails, ORDER, Owner, SOON, SUBSCRIPTION, Way, context, eventually, placed};
use crate::parked::{self, Stay};
use crate::{DeadLetters, Parking, State};
use freehold_testkit::engines;

/// R3's sibling for views: a version that is lost on the way is fetched again and taken in order.
#[tokio::test]
async fn a_lost_event_is_fetched_again_and_never_skipped() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    // The subscription is older than the events: what it misses is no history.
    let lost = Arc::new(AtomicUsize::new(0));
    let once = Arc::clone(&lost);
    let damage = move |item: &Item| match item {
        Item::Event(event) if event.version == 2 => usize::from(once.fetch_add(1, Ordering::SeqCst) > 0),
        _ => 1,
    };
    let handle = mails.start(Way::damaged(owner.feed(), damage));
    handle.caught_up(SOON).await.unwrap();
    owner.place_all(2, 4).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 4).await, "{:?}", mails.effects().await);
    assert!(lost.load(Ordering::SeqCst) > 2, "it was fetched again");
    handle.stop().await;
}

/// A version that never comes holds its key, says so, and holds no other; giving it up is explicit.
#[tokio::test]
async fn a_version_that_never_comes_holds_its_key_until_it_is_given_up() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let damage = |item: &Item| match item {
        Item::Event(event) => usize::from(event.version != 2 || event.subject != "k0"),
        _ => 1,
    };
    let handle = mails.start(Way::damaged(owner.feed(), damage));
    handle.caught_up(SOON).await.unwrap();
    owner.place_all(2, 4).await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1]);
    assert_eq!(mails.versions("k1").await, [1, 2, 3, 4]);
    let letters = DeadLetters::new(mails.store.clone());
    let waiting = letters.list(10).await.unwrap().remove(0);
    assert_eq!((waiting.version, waiting.reason.as_str()), (3, "version 2 never arrived"));
    letters.skip(SUBSCRIPTION, ORDER, "k0", 2, "ann").await.unwrap();
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1, 3, 4]);
    handle.stop().await;
}

/// However many keys begin at what the owner still keeps, none is left waiting.
#[tokio::test]
async fn more_gaps_than_one_page_are_settled() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    held_before_gaps(&mails, 101).await;
    let intake = mails.consumer(Way::sound(owner.feed())).intake(&mails.subscription());
    settle_gaps(&intake).await.unwrap();
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked WHERE state = 'gap'").await, 0);
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked WHERE state = 'waiting'").await, 101);
}

/// Parks version 5 of so many keys, none of which has had a version before it.
async fn held_before_gaps(mails: &Mails, keys: i64) {
    let unit = async move |work: &mut Work| {
        for key in 0..keys {
            let event = Envelope::default()
                .with_entity(ORDER)
                .with_subject(format!("g{key}"))
                .with_type("o.v1.Placed")
                .with_version(5)
                .with_position(Position::default().with_mark(i64::MAX));
            parked::park(work, SUBSCRIPTION, &event, Stay::held(Parking::Gap, parked::MISSING)).await?;
        }
        Ok(())
    };
    mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
}

/// R6: an owner that was restored from a backup is not read on as if nothing had happened.
#[tokio::test]
async fn a_lost_history_stops_the_subscription() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 2).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    let other = Owner::open().await;
    other.place_all(2, 3).await;
    let handle = mails.start(Way::sound(other.feed()));
    let stopped = || async { matches!(handle.status().await.unwrap()[0].state, State::HistoryLost(_)) };
    eventually("the stop", stopped).await;
    assert_eq!(mails.effects().await.len(), 4, "nothing of the other history was taken");
    handle.stop().await;
}

/// R6: also where the stream begins at the oldest event, which every history has.
#[tokio::test]
async fn a_restored_owner_is_not_searched_for_a_gap() {
    if engines::is_about_postgres() {
        return; // A backup is a copy of files here.
    }
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 2).await;
    let restored = owner.backup().await;
    owner.emit(placed("k0", 3)).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    held_before_gaps(&mails, 1).await;
    for key in ["k1", "k2"] {
        restored.emit(placed(key, 1)).await;
    }
    let handle = mails.start(Way::sound(restored.feed()));
    let stopped = || async { matches!(handle.status().await.unwrap()[0].state, State::HistoryLost(_)) };
    eventually("the stop", stopped).await;
    assert_eq!(mails.versions("k1").await, Vec::<i64>::new(), "nothing of the other history was taken");
    handle.stop().await;
}

/// A restart of the owner is no loss of history.
#[tokio::test]
async fn a_subscription_goes_on_over_a_restart_of_its_owner() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 2).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    let owner = owner.restart().await;
    for key in ["k0", "k1"] {
        owner.emit(placed(key, 3)).await;
    }
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 3).await);
    handle.stop().await;
}
