//! Events that fail: parked keys, retries, dead letters and what is decided about them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_store::{Queries, StoreError, vals};
use futures_util::FutureExt;

use super::{purge, resubscribed};
use crate::consumer::fault::{Faults, Point};
use crate::fixture::{
    Mails, ORDER, Owner, SOON, SUBSCRIPTION, Shipped, ShippedView, Way, eventually, placed,
};
use crate::{DeadLetters, Parking, ReactionError, State};
use freehold_testkit::engines;

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
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
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
}

/// E26: what is parked outlives its process, in order; the failure heals only after the restart.
#[tokio::test]
async fn parked_events_outlive_the_process() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
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

/// E27, E28: a redriven key is taken in order, a skipped version never, and both are on record.
#[tokio::test]
async fn a_dead_letter_is_redriven_or_skipped_on_record() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(2, 3).await;
        mails.fail(
            |_, version| if version == 1 { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) },
        );
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
}

/// E31 of what waited behind a dead letter for longer than the horizon, and of the letter itself. The planted bug counts that
/// time against them: the first attempt that finds a dependency down is the last.
#[tokio::test]
async fn what_was_held_for_long_is_retried_as_long_as_anything() {
    const DAYS: &str =
        "UPDATE freehold_parked SET parked_ms = parked_ms - 691200000, tried_ms = tried_ms - 691200000";
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(2, 2).await;
        mails.fail(
            |_, version| if version == 1 { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) },
        );
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        purge(&mails, DAYS).await;
        let tried = AtomicUsize::new(0);
        mails.fail(move |_, _| match tried.fetch_add(1, Ordering::SeqCst) {
            0..4 => Err(ReactionError::Retry("down".to_owned())),
            _ => Ok(()),
        });
        let letters = DeadLetters::new(mails.store.clone());
        letters.skip(SUBSCRIPTION, ORDER, "k0", 1, "ann").await.unwrap();
        letters.redrive(SUBSCRIPTION, ORDER, "k1", "bob").await.unwrap();
        handle.caught_up(SOON).await.unwrap();
        assert_eq!((mails.versions("k0").await, mails.versions("k1").await), (vec![2], vec![1, 2]));
        handle.stop().await;
    }
}

/// C34: a clock that was ahead when a key parked and is right again. The planted bug waits for the whole of the difference.
#[tokio::test]
async fn a_key_that_parked_by_a_clock_that_was_ahead_is_tried_all_the_same() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 2).await;
    mails.fail(|_, _| Err(ReactionError::Retry("down".to_owned())));
    let handle = mails.start(Way::sound(owner.feed()));
    let parked = || async { mails.count("SELECT count(*) AS n FROM freehold_parked").await == 2 };
    eventually("the parked key", parked).await;
    handle.stop().await;
    purge(&mails, "UPDATE freehold_parked SET next_ms = next_ms + 2592000000 WHERE state = 'waiting'").await;
    mails.fail(|_, _| Ok(()));
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1, 2]);
    handle.stop().await;
}

/// E28: a version that took effect is not missing, so it cannot be given up.
#[tokio::test]
async fn a_version_that_took_effect_is_not_skipped() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 3).await;
    mails.fail(|_, version| if version == 2 { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    let letters = DeadLetters::new(mails.store.clone());
    assert!(letters.skip(SUBSCRIPTION, ORDER, "k0", 1, "ann").await.is_err(), "its effect is there");
    assert_eq!(recorded(&mails, "ann skipped k0 1").await, 0);
    letters.skip(SUBSCRIPTION, ORDER, "k0", 2, "ann").await.unwrap();
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1, 3]);
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
    let unanswered = async || mails.count("SELECT unanswered AS n FROM freehold_parked").await;
    // A slow start may count more than one attempt, and none beyond the last that is allowed.
    while unanswered().await < 10 {
        let before = unanswered().await;
        let faults = Faults { dies: Some(Arc::new(dies)), ..Faults::default() };
        let handle = mails.consumer(Way::sound(owner.feed())).faults(faults).start();
        eventually("a counted attempt", || async { unanswered().await > before }).await;
        handle.stop().await;
        purge(&mails, "UPDATE freehold_parked SET next_ms = 0").await;
    }
    let handle = mails.start(Way::sound(owner.feed()));
    let dead = || async { handle.status().await.unwrap()[0].dead_letters == 1 };
    eventually("the dead letter", dead).await;
    handle.stop().await;
}

/// E10: a first attempt that kills the process is found out after a few starts; it then parks before it is tried.
#[tokio::test]
async fn an_event_that_kills_its_first_attempt_does_not_hold_the_stream_for_ever() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(3, 2).await;
    // As seen from the database, a process that dies in a reaction and a store that closes in it are the same.
    let deaths = Arc::new(AtomicUsize::new(0));
    let died = Arc::clone(&deaths);
    mails.fail(move |key, _| match key {
        "k0" => {
            died.fetch_add(1, Ordering::SeqCst);
            Err(StoreError::Closed.into())
        }
        _ => Ok(()),
    });
    for start in 1..=3 {
        let before = deaths.load(Ordering::SeqCst);
        let handle = mails.start(Way::sound(owner.feed()));
        // A death alone may be the process's before: the unit that it had begun ends by itself.
        let starts = "SELECT coalesce(max(starts), 0) AS n FROM freehold_position";
        let died = || async { mails.count(starts).await == start && deaths.load(Ordering::SeqCst) > before };
        eventually("a death", died).await;
        handle.stop().await;
    }
    assert_eq!(
        mails.effects().await.len(),
        0,
        "the planted bug, a first attempt that is not counted, goes on for ever"
    );
    let handle = mails.start(Way::sound(owner.feed()));
    eventually("the other keys", || async { mails.effects().await.len() == 4 }).await;
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked WHERE key = 'k0'").await, 2);
    handle.stop().await;
}
