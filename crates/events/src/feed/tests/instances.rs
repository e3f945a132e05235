//! Several instances of an owner: each serves the feed of all. On PostgreSQL; on SQLite an owner is one process.

use freehold_store::{Store, StoreError, Work};
use freehold_testkit::engines;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::{AckRequest, HeadRequest, Position};

use super::{next_event, request};
use crate::fixture::{Mails, Owner, SOON, SUBSCRIPTION, Way, context, eventually, feed_of, placed};

/// Emits by that instance; answers the position.
async fn place(store: &Store, key: &str, version: i64) -> Position {
    let event = placed(key, version);
    let unit = async move |work: &mut Work| work.emit(&event).await;
    let (emitted, token) = store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    assert_eq!(emitted, version);
    Position::default().with_epoch(token.epoch).with_mark(token.mark)
}

/// The streams of an instance are of one list of epochs, so they end where another instance begins one. The planted bug, a
/// stream that goes on with positions of an epoch that its subscriber has not heard of, stops the subscription.
#[tokio::test]
async fn a_subscription_follows_whichever_instance_writes() {
    if !engines::is_about_postgres() {
        return;
    }
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 1).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    let other = owner.instance().await;
    for version in [2, 4] {
        for key in ["k0", "k1"] {
            place(&other, key, version).await;
            place(&owner.store, key, version + 1).await;
        }
    }
    eventually("all effects", || async { mails.effects().await.len() == 10 }).await;
    assert!(mails.is_once_in_order(2, 5).await, "{:?}", mails.effects().await);
    handle.stop().await;
}

/// The planted bug, an instance that knows its own head alone, calls a position lost that the other has just told.
#[tokio::test]
async fn what_one_instance_has_told_the_other_knows() {
    if !engines::is_about_postgres() {
        return;
    }
    let owner = Owner::open().await;
    let other = owner.instance().await;
    for version in 1..=10 {
        let (here, there) = if version % 2 == 0 { (&owner.store, &other) } else { (&other, &owner.store) };
        let position = place(here, "a", version).await;
        let feed = feed_of(there);
        let head = feed.head(context(), HeadRequest::default()).await.unwrap();
        assert_eq!(head.position.as_ref(), Some(&position));
        let after = request(&["o.v1.Placed"]).with_after(position);
        let mut stream = feed.subscribe(context(), after).await.unwrap();
        let ack = AckRequest::default().with_subscription(SUBSCRIPTION).with_position(position);
        feed_of(here).ack(context(), ack).await.unwrap();
        let next = place(here, "b", version).await;
        let event = next_event(&mut stream).await;
        assert_eq!((event.version, event.position.as_ref()), (version, Some(&next)));
    }
}
