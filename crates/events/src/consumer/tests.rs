//! The consumer on real databases, under redelivery, loss, poison and crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use freehold_store::{Queries, StoreError, Work, outbox, vals};
use freehold_wire::pb::Token;
use freehold_wire::pb::subscribe_response::Item;
use futures_util::FutureExt;

use super::fault::{Faults, Point};
use crate::fixture::{
    Mailed, Mails, ORDER, Order, Owner, PlacedView, SOON, SUBSCRIPTION, Shipped, ShippedView, Stock, Way,
    effect, eventually, placed,
};
use crate::link::Link;
use crate::{DeadLetters, Parking, ReactionError, State, Subscription};

/// A consumer without an inbox: what the mesh would be with the bug that the tests below look for.
async fn naive(mails: &Mails, feed: freehold_client::FeedClient, until: i64) {
    let mut arrivals = Link::new(feed, SUBSCRIPTION, ["o.v1.Placed"]).open(None).await.unwrap();
    loop {
        let batch = arrivals.next(7).await.unwrap();
        for event in batch.events {
            let unit =
                async move |work: &mut Work| effect(work, &event.subject, event.version, String::new()).await;
            mails.store.unit::<_, StoreError, _>(&crate::fixture::context(), unit).await.unwrap();
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
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(5, 4).await;
    let handle = mails.start(Way::damaged(owner.feed(), often));
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(5, 4).await, "{:?}", mails.effects().await);
    handle.stop().await;

    let bugged = Mails::open().await;
    naive(&bugged, Way::damaged(owner.feed(), often), 20).await;
    assert!(!bugged.is_once_in_order(5, 4).await, "the planted bug is seen");
}

/// E20: two deliveries at the same time, one effect.
#[tokio::test]
async fn of_two_consumers_at_once_one_takes_each_effect() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
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

/// E22, R4's sibling: wherever the process dies, effect, high-water and position are all there or none.
#[tokio::test]
async fn a_consumer_killed_at_any_point_takes_each_effect_once() {
    use Point::{AfterCommit, BeforeCommit, BeforePosition, BeforeUnit, BetweenEffectAndInbox};
    for point in [BeforeUnit, BetweenEffectAndInbox, BeforePosition, BeforeCommit, AfterCommit] {
        for nth in [1, 2, 3] {
            let (owner, mails) = (Owner::open().await, Mails::open().await);
            owner.place_all(4, 3).await;
            let (hits, dead) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (counted, died) = (Arc::clone(&hits), Arc::clone(&dead));
            let dies = move |at: Point| {
                let is_it = at == point && counted.fetch_add(1, Ordering::SeqCst) + 1 >= nth;
                died.fetch_add(usize::from(is_it), Ordering::SeqCst);
                is_it
            };
            let faults = Faults { dies: Some(Arc::new(dies)) };
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
    }
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
        tokio::runtime::Handle::try_current().ok();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let unit = async move |work: &mut Work| effect(work, &key, version, "outside".to_owned()).await;
            runtime.block_on(store.unit::<_, StoreError, _>(&crate::fixture::context(), unit)).unwrap();
        });
        Ok(())
    });
    let handle =
        mails.consumer(Way::sound(owner.feed())).faults(Faults { dies: Some(Arc::new(dies)) }).start();
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

async fn purge(mails: &Mails, sql: &'static str) {
    let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
    mails.store.unit::<_, StoreError, _>(&crate::fixture::context(), unit).await.unwrap();
}

/// E24: one poisoned key among many parks alone; the position moves on.
#[tokio::test]
async fn a_poisoned_key_stops_no_other_key() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(20, 3).await;
    mails.fail(|key, _| if key == "k7" { Err(ReactionError::Refuse("poison".to_owned())) } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.effects().await.len(), 19 * 3);
    assert_eq!(mails.versions("k7").await, Vec::<i64>::new());
    let status = handle.status().await.unwrap().remove(0);
    assert_eq!((status.parked_keys, status.dead_letters, status.state), (1, 1, State::Live));
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked").await, 3, "its tail waits behind it");
    handle.stop().await;
}

/// E25: a later event waits behind one that is retried.
#[tokio::test]
async fn a_later_event_does_not_overtake_one_in_retry() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 3).await;
    let mut failures = 3;
    mails.fail(move |key, version| match (key, version) {
        ("k0", 1) if failures > 0 => {
            failures -= 1;
            Err(ReactionError::Retry("not yet".to_owned()))
        }
        _ => Ok(()),
    });
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 3).await, "{:?}", mails.effects().await);
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked").await, 0);
    handle.stop().await;
}

/// E26: what is parked outlives its process, in order; the failure heals only after the restart.
#[tokio::test]
async fn parked_events_outlive_the_process() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 3).await;
    mails.fail(|key, _| if key == "k1" { Err(ReactionError::Retry("down".to_owned())) } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    let parked = || async { mails.count("SELECT count(*) AS n FROM freehold_parked").await == 3 };
    eventually("three parked events", parked).await;
    let position = "SELECT mark AS n FROM freehold_position";
    eventually("the position", || async { mails.count(position).await == 6 }).await;
    handle.stop().await;

    let mails = mails.restart().await;
    mails.fail(|_, _| Ok(()));
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 3).await, "{:?}", mails.effects().await);
    handle.stop().await;
}

/// E26: the planted bug, parked events that are lost with the process, leaves a hole that the oracle sees.
#[tokio::test]
async fn a_loss_of_parked_events_would_be_seen() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 3).await;
    mails.fail(|key, _| if key == "k1" { Err(ReactionError::Retry("down".to_owned())) } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    eventually("the position", || async {
        mails.count("SELECT coalesce(max(mark), 0) AS n FROM freehold_position").await == 6
    })
    .await;
    handle.stop().await;
    purge(&mails, "DELETE FROM freehold_parked").await;
    mails.fail(|_, _| Ok(()));
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert!(!mails.is_once_in_order(2, 3).await);
    handle.stop().await;
}

/// E32: data of a future version is kept with its reason; the rest of the mesh goes on.
#[tokio::test]
async fn an_undecodable_payload_parks_with_its_bytes_and_reason() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.emit(placed("k0", 1)).await;
    owner.emit(Shipped { order_id: "k0".to_owned(), parcel: 7 }).await;
    owner.emit(placed("k1", 1)).await;
    let subscription =
        mails.subscription().on_event::<ShippedView, _>(|_, _| std::future::ready(Ok(())).boxed_local());
    let handle = resubscribed(&mails, &owner, subscription).start();
    handle.caught_up(SOON).await.unwrap();
    let dead = DeadLetters::new(mails.store.clone()).list(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].version, dead[0].parking), (1, 2, Parking::Dead));
    assert!(dead[0].reason.contains("o.v1.Shipped"), "{}", dead[0].reason);
    assert_eq!(mails.count("SELECT length(envelope) AS n FROM freehold_parked").await.min(50), 50);
    assert_eq!(mails.versions("k1").await, [1]);
    handle.stop().await;
}

fn resubscribed(mails: &Mails, owner: &Owner, subscription: Subscription) -> super::Consumer {
    let mut consumer = mails.consumer(Way::sound(owner.feed()));
    consumer.subscriptions = vec![subscription];
    consumer
}

/// E27, E28: a redriven key is taken in order, a skipped version never, and both are on record.
#[tokio::test]
async fn a_dead_letter_is_redriven_or_skipped_on_record() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 3).await;
    mails.fail(|_, version| if version == 1 { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    let letters = DeadLetters::new(mails.store.clone());
    assert!(letters.skip(SUBSCRIPTION, ORDER, "k0", 2, "ann").await.is_err(), "it waits at version 1");
    letters.skip(SUBSCRIPTION, ORDER, "k0", 1, "ann").await.unwrap();
    mails.fail(|_, _| Ok(()));
    letters.redrive(SUBSCRIPTION, ORDER, "k1", "bob").await.unwrap();
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [2, 3]);
    assert_eq!(mails.versions("k1").await, [1, 2, 3]);
    for record in ["ann skipped k0 1", "bob redriven k1 1"] {
        assert_eq!(recorded(&mails, record).await, 1, "{record}");
    }
    handle.stop().await;
}

async fn recorded(mails: &Mails, what: &str) -> i64 {
    const LOOK: &str = "SELECT count(*) AS n FROM freehold_parked_log \
                        WHERE who || ' ' || action || ' ' || key || ' ' || version = $1";
    mails.store.read().await.unwrap().one(LOOK, vals![what]).await.unwrap().unwrap().get("n").unwrap()
}

#[tokio::test]
async fn a_reaction_that_panics_is_a_dead_letter() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(3, 1).await;
    mails.fail(|key, _| if key == "k1" { panic!("planted") } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    let seen = || async { mails.effects().await.len() == 2 };
    eventually("the other keys", seen).await;
    let dead = || async { handle.status().await.unwrap()[0].dead_letters == 1 };
    eventually("the dead letter", dead).await;
    handle.stop().await;
}

/// E10: an attempt that kills the process is counted, and there is an end to them.
#[tokio::test]
async fn an_event_that_kills_every_attempt_ends_as_a_dead_letter() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 1).await;
    mails.fail(|_, _| Err(ReactionError::Retry("park it".to_owned())));
    let handle = mails.start(Way::sound(owner.feed()));
    let parked = || async { handle.status().await.unwrap()[0].parked_keys == 1 };
    eventually("the parked key", parked).await;
    handle.stop().await;
    purge(&mails, "UPDATE freehold_parked SET attempts = 1, unanswered = 0, next_ms = 0").await;

    let dies = |at: Point| at == Point::AfterClaim;
    for _ in 0..10 {
        let before = mails.count("SELECT unanswered AS n FROM freehold_parked").await;
        let faults = Faults { dies: Some(Arc::new(dies)) };
        let handle = mails.consumer(Way::sound(owner.feed())).faults(faults).start();
        let counted =
            || async { mails.count("SELECT unanswered AS n FROM freehold_parked").await == before + 1 };
        eventually("a counted attempt", counted).await;
        handle.stop().await;
        purge(&mails, "UPDATE freehold_parked SET next_ms = 0").await;
    }
    let handle = mails.start(Way::sound(owner.feed()));
    let dead = || async { handle.status().await.unwrap()[0].dead_letters == 1 };
    eventually("the dead letter", dead).await;
    handle.stop().await;
}

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

/// Other entities move the position without an event; changes and tombstones are delivered.
#[tokio::test]
async fn changes_are_delivered_and_other_entities_only_move_the_position() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let handle = mails.start(Way::sound(owner.feed()));
    owner.put(Order { id: "k0".to_owned(), state: "new".to_owned(), secret: "s".to_owned() }).await;
    owner.put(Stock { id: "s".to_owned(), units: 1 }).await;
    let unit = async |work: &mut Work| work.delete::<Order>("k0").await;
    owner.store.unit::<_, StoreError, _>(&crate::fixture::context(), unit).await.unwrap();
    owner.put(Stock { id: "s".to_owned(), units: 2 }).await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1, 2]);
    assert_eq!(mails.count("SELECT count(*) AS n FROM effect WHERE value = 'deleted'").await, 1);
    assert_eq!(handle.status().await.unwrap()[0].position.as_ref().unwrap().mark, 4);
    handle.stop().await;
    assert!(Duration::from_secs(2) < SOON);
}

/// R16: what a reaction emits has seen the event, all that its unit had seen, and names it as its cause; also where many
/// events share a unit of work.
#[tokio::test]
async fn the_session_travels_through_a_reaction() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let seen = Token::default().with_owner("users").with_epoch(9).with_mark(77);
    for key in ["k0", "k1", "k2"] {
        let context = crate::fixture::context();
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
