//! Each event takes effect once, in order: under redelivery, two consumers, crashes and replays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_client::FeedClient;
use freehold_store::{StoreError, Work, outbox};
use freehold_wire::pb::Token;
use freehold_wire::pb::subscribe_response::Item;
use futures_util::FutureExt;

use super::{purge, resubscribed};
use crate::Subscription;
use crate::consumer::fault::{Faults, Point};
use crate::fixture::{
    Mailed, Mails, Order, Owner, PlacedView, SOON, Stock, Way, arrivals, context, effect, eventually, placed,
};
use freehold_testkit::engines;

/// A consumer without an inbox: what the mesh would be with the bug that the tests below look for.
async fn naive(mails: &Mails, feed: FeedClient, until: i64) {
    let mut arrivals = arrivals(feed).await;
    loop {
        let batch = arrivals.next(7).await.unwrap();
        for event in batch.events {
            let unit =
                async move |work: &mut Work| effect(work, &event.subject, event.version, String::new()).await;
            mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
        }
        if batch.position.mark >= until {
            return;
        }
    }
}

/// Every event up to five times, by its mark.
fn often(item: &Item) -> usize {
    match item {
        Item::Event(event) => {
            usize::try_from(event.position.as_ref().map_or(0, |at| at.mark) % 5).unwrap() + 1
        }
        _ => 1,
    }
}

/// E21: what is delivered again takes effect once.
#[tokio::test]
async fn a_duplicate_delivery_takes_effect_once() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(5, 4).await;
        let handle = mails.start(Way::damaged(owner.feed(), often));
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(5, 4).await, "{:?}", mails.effects().await);
        handle.stop().await;

        let bugged = Mails::open().await;
        naive(&bugged, Way::damaged(owner.feed(), often), 20).await;
        assert!(!bugged.is_once_in_order(5, 4).await, "the planted bug is seen");
    }
}

/// E20: two deliveries at the same time, one effect.
#[tokio::test]
async fn of_two_consumers_at_once_one_takes_each_effect() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let handles = [mails.start(Way::sound(owner.feed())), mails.start(Way::sound(owner.feed()))];
        owner.place_all(5, 10).await;
        for handle in handles {
            handle.caught_up(SOON).await.unwrap();
            handle.stop().await;
        }
        assert!(mails.is_once_in_order(5, 10).await, "{:?}", mails.effects().await);

        let bugged = Mails::open().await;
        let way = || Way::sound(owner.feed());
        tokio::join!(naive(&bugged, way(), 50), naive(&bugged, way(), 50));
        assert!(!bugged.is_once_in_order(5, 10).await, "the planted bug is seen");
    }
}

/// E22, R4's sibling: wherever the process dies, effect, high-water and position are all there or none.
#[tokio::test]
async fn a_consumer_killed_at_any_point_takes_each_effect_once() {
    use Point::{AfterCommit, BeforeCommit, BeforePosition, BeforeUnit, BetweenEffectAndInbox};
    for point in [BeforeUnit, BetweenEffectAndInbox, BeforePosition, BeforeCommit, AfterCommit] {
        for nth in [1, 2, 3] {
            for database in engines::each().await {
                killed_at(database, point, nth).await;
            }
        }
    }
}

async fn killed_at(database: engines::Database, point: Point, nth: usize) {
    let (owner, mails) = (Owner::open().await, Mails::on(database).await);
    owner.place_all(4, 3).await;
    let (hits, dead) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, died) = (Arc::clone(&hits), Arc::clone(&dead));
    let dies = move |at: Point| {
        let is_it = at == point && counted.fetch_add(1, Ordering::SeqCst) + 1 >= nth;
        died.fetch_add(usize::from(is_it), Ordering::SeqCst);
        is_it
    };
    let faults = Faults { dies: Some(Arc::new(dies)), ..Faults::default() };
    let handle = mails.consumer(Way::sound(owner.feed())).faults(faults).start();
    // Two batches are needed for twelve events, so some points are not reached a third time.
    let over = || async { dead.load(Ordering::SeqCst) > 0 || mails.effects().await.len() == 12 };
    eventually("the kill", over).await;
    handle.stop().await;
    let mails = mails.restart().await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(4, 3).await, "{point:?} {nth}: {:?}", mails.effects().await);
    handle.stop().await;
}

/// E22: the planted bug of the test above is an effect outside the unit of its high-water.
#[tokio::test]
async fn an_effect_outside_the_unit_would_be_seen() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 1).await;
    let dies = |at: Point| at == Point::BeforeCommit;
    let outside = mails.store.clone();
    mails.fail(move |key, version| {
        let (store, key) = (outside.clone(), key.to_owned());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let unit = async move |work: &mut Work| effect(work, &key, version, "outside".to_owned()).await;
            runtime.block_on(store.unit::<_, StoreError, _>(&context(), unit)).unwrap();
        });
        Ok(())
    });
    let handle = mails
        .consumer(Way::sound(owner.feed()))
        .faults(Faults { dies: Some(Arc::new(dies)), ..Faults::default() })
        .start();
    eventually("an effect without its high-water", || async { !mails.effects().await.is_empty() }).await;
    handle.stop().await;
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_inbox").await, 0);
}

/// E23: a replay of everything, after the position was purged, changes nothing.
#[tokio::test]
async fn a_replay_after_a_purge_takes_no_effect_again() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(3, 3).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    purge(&mails, "DELETE FROM freehold_position").await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    assert!(mails.is_once_in_order(3, 3).await);

    purge(&mails, "DELETE FROM freehold_position").await;
    purge(&mails, "DELETE FROM freehold_inbox").await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    assert!(!mails.is_once_in_order(3, 3).await, "the planted bug, a high-water that expires, is seen");
}

/// Other entities move the position without an event; changes and tombstones are delivered.
#[tokio::test]
async fn changes_are_delivered_and_other_entities_only_move_the_position() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let handle = mails.start(Way::sound(owner.feed()));
    owner.put(Order { id: "k0".to_owned(), state: "new".to_owned(), secret: "s".to_owned() }).await;
    owner.put(Stock { id: "s".to_owned(), units: 1 }).await;
    let unit = async |work: &mut Work| work.delete::<Order>("k0").await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    owner.put(Stock { id: "s".to_owned(), units: 2 }).await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1, 2]);
    assert_eq!(mails.count("SELECT count(*) AS n FROM effect WHERE value = 'deleted'").await, 1);
    assert_eq!(handle.status().await.unwrap()[0].position.as_ref().unwrap().mark, 4);
    handle.stop().await;
}

/// R16: what a reaction emits has seen the event, all that its unit had seen, and names it as its cause; also where many
/// events share a unit of work.
#[tokio::test]
async fn the_session_travels_through_a_reaction() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let seen = Token::default().with_owner("users").with_epoch(9).with_mark(77);
    for key in ["k0", "k1", "k2"] {
        let context = context();
        if key == "k1" {
            context.session().saw(seen.clone());
        }
        let unit = async move |work: &mut Work| work.emit(&placed(key, 1)).await;
        owner.store.unit::<_, StoreError, _>(&context, unit).await.unwrap();
    }
    let subscription = Subscription::views("mails", "orders").on_event::<PlacedView, _>(|work, event| {
        async move {
            work.emit(&Mailed { order_id: event.key().to_owned() }).await?;
            Ok(())
        }
        .boxed_local()
    });
    let handle = resubscribed(&mails, &owner, subscription).start();
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    let placed = outbox::after(&owner.store, &mut owner.store.read().await.unwrap(), 0, 10).await.unwrap();
    let mailed = outbox::after(&mails.store, &mut mails.store.read().await.unwrap(), 0, 10).await.unwrap();
    assert_eq!(mailed.len(), 3);
    for (cause, effect) in placed.iter().zip(&mailed) {
        assert_eq!((&effect.cause, &effect.subject), (&cause.id, &cause.subject));
        let owner_saw = effect.tokens.iter().find(|token| token.owner == "orders").unwrap();
        assert_eq!(
            owner_saw.mark,
            cause.position.as_ref().unwrap().mark,
            "its own event, not its neighbour's"
        );
        assert_eq!(effect.tokens.contains(&seen), effect.subject == "k1");
        assert_eq!(effect.traceparent[..35], cause.traceparent[..35], "one trace");
    }
}
