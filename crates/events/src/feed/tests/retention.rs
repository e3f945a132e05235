//! What an owner keeps of its events, and what it tells those who come too late.

use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, Work, outbox, vals};
use freehold_testkit::eventually;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::{AckRequest, HeadRequest, WithdrawRequest};
use freehold_wire::reason;
use tonic::Code;

use super::{mark, next_event, open, request};
use crate::State;
use crate::feed::Keep;
use crate::feed::retention::{look, sweep};
use crate::fixture::{Mails, Owner, SOON, SUBSCRIPTION, Way, context};
use crate::link::POSITION_PURGED;

const AT_ONCE: Keep = Keep::AtLeast(Duration::ZERO);
const FAST: &str = "mails/fast";

/// The first mark that is kept.
async fn oldest(store: &Store) -> Option<i64> {
    outbox::oldest(store, &mut store.read().await.unwrap()).await.unwrap()
}

/// Two subscriptions that have acknowledged the events up to these marks.
async fn acknowledged(owner: &Owner, slow: i64, fast: i64) {
    let feed = owner.feed();
    let head = feed.head(context(), HeadRequest::default()).await.unwrap().position.unwrap_or_default();
    for (subscription, mark) in [(SUBSCRIPTION, slow), (FAST, fast)] {
        let subscribe = request(&["o.v1.Placed"]).with_subscription(subscription);
        drop(feed.subscribe(context(), subscribe).await.unwrap());
        let position = head.with_mark(mark);
        let ack = AckRequest::default().with_subscription(subscription).with_position(position);
        feed.ack(context(), ack).await.unwrap();
    }
}

/// The planted bug, the fastest instead of the slowest, would let go of events that somebody still wants.
#[tokio::test]
async fn what_the_slowest_subscription_has_not_passed_is_kept() {
    let owner = Owner::open().await;
    owner.place_all(2, 5).await;
    acknowledged(&owner, 3, 8).await;
    let kept = sweep(&owner.store, AT_ONCE).await.unwrap();
    assert_eq!((oldest(&owner.store).await, kept.events), (Some(4), 7));
    assert!(kept.bytes > 0, "{kept:?}");
    assert_eq!(kept.held_by.as_deref(), Some(SUBSCRIPTION), "whoever holds it up is named");

    acknowledged(&owner, 10, 10).await;
    let kept = sweep(&owner.store, AT_ONCE).await.unwrap();
    assert_eq!((oldest(&owner.store).await, kept.events, kept.held_by), (None, 0, None));
    owner.place_all_from(1, 6, 6).await;
    assert_eq!((owner.store.head().mark(), oldest(&owner.store).await), (11, Some(11)), "marks go on");
    let withdraw = WithdrawRequest::default().with_subscription(SUBSCRIPTION);
    owner.feed().withdraw(context(), withdraw).await.unwrap();
    sweep(&owner.store, AT_ONCE).await.unwrap();
    assert_eq!(oldest(&owner.store).await, Some(11), "the other one still wants it");
}

#[tokio::test]
async fn what_is_young_is_kept_although_everybody_has_passed_it() {
    let owner = Owner::open().await;
    owner.place_all(2, 5).await;
    acknowledged(&owner, 10, 10).await;
    for keep in [Keep::default(), Keep::Everything] {
        let kept = sweep(&owner.store, keep).await.unwrap();
        assert_eq!((oldest(&owner.store).await, kept.events, kept.held_by), (Some(1), 10, None));
    }
}

/// More than is reasonable is told of whoever holds it up, and of nobody who has passed all of it.
#[tokio::test]
async fn what_takes_too_many_bytes_is_told_of_the_slowest() {
    let owner = Owner::open().await;
    owner.place_all(2, 5).await;
    acknowledged(&owner, 3, 8).await;
    let held_by = async |limit| look(&owner.store, i64::MIN, limit).await.unwrap().held_by;
    assert_eq!(held_by(100).await.as_deref(), Some(SUBSCRIPTION));
    assert_eq!(held_by(i64::MAX).await, None, "it is not much");
    acknowledged(&owner, 10, 10).await;
    assert_eq!(held_by(100).await, None, "it is kept for nobody");
}

/// However many there are: more than a batch, and on PostgreSQL more than a tick.
#[tokio::test]
async fn everything_that_may_go_goes() {
    let owner = Owner::open().await;
    owner.place_at_once(50, 50).await;
    owner.place_all_from(1, 51, 52).await;
    sweep(&owner.store, AT_ONCE).await.unwrap();
    assert_eq!(oldest(&owner.store).await, None);
}

/// A feed that keeps so much looks by itself.
#[tokio::test]
async fn an_owner_lets_go_of_it_by_itself() {
    let owner = Owner::open().await;
    owner.place_all(1, 3).await;
    let feed = owner.feed().keeping(AT_ONCE);
    eventually("nothing is kept", SOON, async || oldest(&owner.store).await.is_none().then_some(())).await;
    drop(feed);
}

/// The planted bug, a stream that goes on at what is left, skips events without a word.
#[tokio::test]
async fn a_position_that_was_left_behind_is_refused_and_said_what_to_do_about() {
    let owner = Owner::open().await;
    owner.place_all(1, 3).await;
    let mut stream = open(&owner.feed(), &["o.v1.Placed"]).await;
    let first = next_event(&mut stream).await.position.unwrap_or_default();
    drop(stream);
    let unit = async |work: &mut Work| outbox::purge(work, 2, i64::MAX).await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();

    let after = request(&["o.v1.Placed"]).with_after(first);
    let refused = owner.feed().subscribe(context(), after).await.err().unwrap();
    assert_eq!((refused.code(), reason::of(&refused).as_str()), (Code::FailedPrecondition, POSITION_PURGED));
    let said = "this owner keeps events from mark 3 on, and mark 1 was the last that was seen; a copy is made anew by \
                itself, whatever else reads is begun anew by `freehold replay`";
    assert_eq!(refused.message(), said);
    let mut stream = open(&owner.feed(), &["o.v1.Placed"]).await;
    let oldest = next_event(&mut stream).await;
    assert_eq!((oldest.version, mark(&oldest.position)), (3, 3), "who has seen nothing begins at the oldest");
}

#[tokio::test]
async fn a_subscription_that_was_left_behind_stands_still_and_says_so() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 2).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    owner.place_all_from(1, 3, 5).await;
    let unit = async |work: &mut Work| outbox::purge(work, 4, i64::MAX).await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    let handle = mails.start(Way::sound(owner.feed()));
    let failed = async || match handle.status().await.unwrap()[0].state.clone() {
        State::Failed(problem) => Some(problem),
        _ => None,
    };
    let problem = eventually("the end", SOON, failed).await;
    assert!(problem.contains("keeps events from mark 5 on"), "{problem}");
    assert_eq!(mails.effects().await.len(), 2, "nothing was skipped");
    handle.stop().await;
}

/// Also where its process ended before it had seen anything. The planted bug, a subscription that asks for what comes after
/// the beginning, is refused.
#[tokio::test]
async fn a_subscription_that_has_seen_nothing_begins_at_the_oldest_that_is_kept() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 3).await;
    let unit = async |work: &mut Work| outbox::purge(work, 2, i64::MAX).await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    for _ in 0..2 {
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        handle.stop().await;
        assert_eq!(mails.versions("k0").await, [3]);
        let unseen = "UPDATE freehold_position SET mark = 0";
        mails
            .store
            .unit::<_, StoreError, _>(&context(), async |work: &mut Work| work.exec(unseen, vals![]).await)
            .await
            .unwrap();
    }
}
