//! Dead letters that are redriven: under load, with a process that dies in the middle, late, and too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use freehold_store::{Queries, StoreError, Work, inbox, vals};

use super::purge;
use crate::consumer::fault::{Faults, Point};
use crate::dead_letters::{DecisionError, Owned, redrive, skip};
use crate::fixture::{Mails, ORDER, Owner, SOON, SUBSCRIPTION, Way, context, eventually, placed};
use crate::{DeadLetters, Handle, ReactionError};
use freehold_testkit::engines;

/// Three keys of four events, of which `k0` is a dead letter from its first on.
async fn dead_letter(mails: &Mails, owner: &Owner) -> Handle {
    owner.place_all(3, 4).await;
    mails.fail(|key, _| if key == "k0" { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, Vec::<i64>::new());
    handle
}

/// What an attempt that died had put off is due at once.
const DUE: &str = "UPDATE freehold_parked SET next_ms = 0 WHERE state = 'waiting'";
const PARKED: &str = "SELECT count(*) AS n FROM freehold_parked";

/// E27: while its owner goes on with the key and all others, and wherever the process dies in the middle, a redriven key
/// is taken in order, each version once.
#[tokio::test]
async fn a_redrive_under_load_goes_on_where_the_process_died() {
    use Point::{AfterClaim, BeforeCommit, BetweenEffectAndInbox};
    for point in [AfterClaim, BetweenEffectAndInbox, BeforeCommit] {
        for database in engines::each().await {
            redriven_and_killed(database, point).await;
        }
    }
}

async fn redriven_and_killed(database: engines::Database, point: Point) {
    let (owner, mails) = (Owner::open().await, Mails::on(database).await);
    dead_letter(&mails, &owner).await.stop().await;
    mails.fail(|_, _| Ok(()));
    DeadLetters::new(mails.store.clone()).redrive(SUBSCRIPTION, ORDER, "k0", "ann").await.unwrap();
    let hits = Arc::new(AtomicUsize::new(0));
    let died = Arc::clone(&hits);
    let dies = move |at: Point| at == point && died.fetch_add(1, Ordering::SeqCst) >= 1;
    let faults = Faults { dies: Some(Arc::new(dies)), ..Faults::default() };
    let handle = mails.consumer(Way::sound(owner.feed())).faults(faults).start();
    owner.place_all_from(3, 5, 6).await;
    eventually("a death in the middle", || async { hits.load(Ordering::SeqCst) >= 2 }).await;
    handle.stop().await;
    let mails = mails.restart().await;
    purge(&mails, DUE).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(3, 6).await, "{point:?}: {:?}", mails.effects().await);
    assert_eq!(mails.count(PARKED).await, 0);
    handle.stop().await;
}

/// E27: the planted bug, a redrive that hands out the whole tail at once, is seen where the first of it fails again.
#[tokio::test]
async fn a_tail_that_does_not_wait_for_its_head_would_be_seen() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let handle = dead_letter(&mails, &owner).await;
    handle.stop().await;
    let failed = AtomicBool::new(false);
    mails.fail(move |key, version| match (key, version) {
        ("k0", 1) if !failed.swap(true, Ordering::SeqCst) => Err(ReactionError::Retry("again".to_owned())),
        _ => Ok(()),
    });
    purge(&mails, "UPDATE freehold_parked SET state = 'waiting', next_ms = version").await;
    // PostgreSQL has the row already, by which it locks the key.
    purge(&mails, "DELETE FROM freehold_inbox WHERE key = 'k0'").await;
    purge(&mails, "INSERT INTO freehold_inbox VALUES ('mails/views/orders', 'o.v1.Order', 'k0', 1)").await;
    let handle = mails.start(Way::sound(owner.feed()));
    eventually("the tail", || async { mails.versions("k0").await.contains(&4) }).await;
    assert!(!mails.is_once_in_order(3, 4).await, "{:?}", mails.effects().await);
    handle.stop().await;
}

/// E23: a dead letter that is redriven after all else was purged takes effect once, also when it is redriven again.
#[tokio::test]
async fn a_redrive_long_after_everything_else_was_purged_takes_effect_once() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let handle = dead_letter(&mails, &owner).await;
        purge(&mails, "DELETE FROM freehold_parked_log").await;
        purge(&mails, "UPDATE freehold_parked SET parked_ms = 0").await;
        mails.fail(|_, _| Ok(()));
        let letters = DeadLetters::new(mails.store.clone());
        letters.redrive(SUBSCRIPTION, ORDER, "k0", "ann").await.unwrap();
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(3, 4).await);
        assert!(letters.redrive(SUBSCRIPTION, ORDER, "k0", "ann").await.is_err(), "nothing waits");
        handle.stop().await;
        // As the owner would send it to a consumer that has forgotten where it stood.
        purge(&mails, "DELETE FROM freehold_position").await;
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(3, 4).await);
        handle.stop().await;
    }
}

/// E28: what is redriven to a consumer that has a newer version by now is discarded, which is on record.
#[tokio::test]
async fn a_redrive_to_a_consumer_with_a_newer_version_is_discarded_on_record() {
    const RECORD: &str = "SELECT count(*) AS n FROM freehold_parked_log \
                          WHERE action = 'discarded' AND key = 'k0' AND version IN (1, 2)";
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let handle = dead_letter(&mails, &owner).await;
        // Its rows came from elsewhere: a database that was put together again, or repaired by hand.
        let newer =
            async |work: &mut Work| inbox::advance(work, SUBSCRIPTION, ORDER, "k0", 2).await.map(drop);
        mails.store.unit::<_, StoreError, _>(&context(), newer).await.unwrap();
        mails.fail(|_, _| Ok(()));
        let letters = DeadLetters::new(mails.store.clone());
        letters.redrive(SUBSCRIPTION, ORDER, "k0", "ann").await.unwrap();
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(mails.versions("k0").await, [3, 4]);
        assert_eq!(mails.count(RECORD).await, 2);
        owner.emit(placed("k0", 5)).await;
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(mails.versions("k0").await, [3, 4, 5]);
        let who = "SELECT count(*) AS n FROM freehold_parked_log WHERE action = 'redriven' AND who = 'ann'";
        let mut read = mails.store.read().await.unwrap();
        assert_eq!(read.one(who, vals![]).await.unwrap().unwrap().get::<i64>("n").unwrap(), 1);
        drop(read);
        handle.stop().await;
    }
}

/// Of two decisions about a key, by two instances, the second is about what the first has left. The planted bug, a decision
/// that reads before it locks, redrives what was skipped. On SQLite there is one writer, and so one decision at a time.
#[tokio::test]
async fn a_decision_waits_for_the_one_before_it() {
    const GATE: &str = "SELECT 1 AS n FROM pg_advisory_xact_lock(27, hashtext(current_schema()))";
    const WAITING: &str = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks \
                           WHERE relation IN ('freehold_inbox'::regclass, 'freehold_parked'::regclass))";
    let Some(database) = engines::postgres().await else { return };
    let (owner, mails) = (Owner::open().await, Mails::on(database).await);
    dead_letter(&mails, &owner).await.stop().await;
    let mut gate = mails.store.read().await.unwrap();
    gate.one(GATE, vals![]).await.unwrap();
    let first = async |work: &mut Work| -> Result<(), DecisionError> {
        skip(work, &Owned::new(SUBSCRIPTION, ORDER, "k0"), 1, "ann").await?;
        work.one(GATE, vals![]).await?;
        Ok(())
    };
    let second = async |work: &mut Work| redrive(work, &Owned::new(SUBSCRIPTION, ORDER, "k0"), "bob").await;
    let (ann, bob) = (mails.instance().await, mails.instance().await);
    let first = tokio::spawn(async move { ann.unit(&context(), first).await });
    eventually("the first at the gate", || async { mails.count(WAITING).await == 1 }).await;
    let second = tokio::spawn(async move { bob.unit(&context(), second).await });
    eventually("the second behind it", || async { mails.count(WAITING).await == 2 }).await;
    drop(gate);
    first.await.unwrap().unwrap();
    let refused = second.await.unwrap().unwrap_err();
    assert!(matches!(refused, DecisionError::NotWaiting { version: None, .. }), "{refused}");
}
