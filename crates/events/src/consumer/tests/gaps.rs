//! What is missing: lost versions, a lost history, an owner that was restarted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_wire::pb::subscribe_response::Item;

use crate::fixture::{Mails, ORDER, Owner, SOON, SUBSCRIPTION, Way, eventually, placed};
use crate::{DeadLetters, State};

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
