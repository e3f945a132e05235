//! E40, E32: what was emitted in an older shape is read in today's, by whatever way it comes; and what cannot be read parks.
//!
//! Each test is red where `delivered::decode`, the one way to a reaction, does not upcast.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use freehold_store::{Queries, vals};
use freehold_testkit::engines;
use freehold_wire::Context;
use freehold_wire::View;
use freehold_wire::metadata::OPERATOR;
use freehold_wire::operations::OperationsService;
use freehold_wire::pb::ReplayRequest;
use futures_util::FutureExt;
use prost::Message;

use super::projections::counting;
use super::{purge, resubscribed};
use crate::fixture::{
    AnyPlaced, CORPUS, Mails, ORDER, Owner, PlacedView, SOON, SUBSCRIPTION, Way, eventually, placed,
};
use crate::{DeadLetters, Delivered, Operations, Parking, ReactionError, Subscription};

/// An owner that has emitted the corpus, byte by byte.
async fn historic() -> Owner {
    let owner = Owner::open().await;
    for (bytes, _) in CORPUS {
        let event = AnyPlaced::decode(bytes).unwrap();
        assert_eq!(event.encode_to_vec(), bytes, "nothing of it is lost");
        owner.emit(event).await;
    }
    owner
}

/// What each reaction saw.
async fn seen(mails: &Mails) -> Vec<String> {
    let mut read = mails.store.read().await.unwrap();
    let rows = read.all("SELECT value FROM effect ORDER BY id", vals![]).await.unwrap();
    rows.iter().map(|row| row.get("value").unwrap()).collect()
}

fn cents() -> Vec<String> {
    CORPUS.iter().map(|(_, cents)| cents.to_string()).collect()
}

#[test]
fn every_version_of_the_corpus_is_read_and_what_has_todays_shape_stays() {
    for (bytes, cents) in CORPUS {
        let view = PlacedView::read(bytes).unwrap();
        assert_eq!((view.cents, view.euros), (cents, 0));
        assert_eq!(view.clone().upcast(), view);
    }
    assert_ne!(
        PlacedView::decode(CORPUS[0].0).unwrap().cents,
        CORPUS[0].1,
        "the planted bug, no upcast, is seen"
    );
}

#[tokio::test]
async fn an_event_of_an_older_shape_is_upcast_as_it_comes_and_at_its_second_attempt() {
    for database in engines::each().await {
        let (owner, mails) = (historic().await, Mails::on(database).await);
        let mut tries = 0;
        // With others in its unit, and alone.
        mails.fail(move |_, version| match version {
            1 if tries < 2 => {
                tries += 1;
                Err(ReactionError::Retry("not yet".to_owned()))
            }
            _ => Ok(()),
        });
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(seen(&mails).await, cents());
        handle.stop().await;
    }
}

/// The whole history waits behind a dead letter, so what the reactions see comes by the redrive alone.
#[tokio::test]
async fn an_event_of_an_older_shape_is_upcast_when_it_is_redriven() {
    for database in engines::each().await {
        let (owner, mails) = (historic().await, Mails::on(database).await);
        let poisoned = Arc::new(AtomicBool::new(true));
        let poison = Arc::clone(&poisoned);
        mails.fail(move |_, _| match poison.load(Ordering::SeqCst) {
            true => Err(ReactionError::Refuse("no".to_owned())),
            false => Ok(()),
        });
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(seen(&mails).await, Vec::<String>::new());
        poisoned.store(false, Ordering::SeqCst);
        let letters = DeadLetters::new(mails.store.clone());
        letters.redrive(SUBSCRIPTION, ORDER, "k0", "ann").await.unwrap();
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(seen(&mails).await, cents());
        handle.stop().await;
    }
}

/// What its reactions have seen is forgotten, with the inbox, so that they see it by the replay.
#[tokio::test]
async fn an_event_of_an_older_shape_is_upcast_when_it_is_replayed() {
    for database in engines::each().await {
        let (owner, mails) = (historic().await, Mails::on(database).await);
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        purge(&mails, "DELETE FROM effect").await;
        purge(&mails, "DELETE FROM freehold_inbox").await;
        let request = ReplayRequest::default().with_subscription(SUBSCRIPTION).with_who("ann");
        Operations::new(mails.store.clone()).replay(Context::new(OPERATOR, SOON), request).await.unwrap();
        eventually("the replay", || async { seen(&mails).await.len() == CORPUS.len() }).await;
        assert_eq!(seen(&mails).await, cents());
        handle.stop().await;
    }
}

#[tokio::test]
async fn an_event_of_an_older_shape_is_upcast_when_a_view_is_built() {
    const SUM: &str = "SELECT CAST(coalesce(sum(cents), 0) AS BIGINT) AS n FROM tally WHERE generation = 1";
    let sum: i64 = CORPUS.iter().map(|(_, cents)| cents).sum();
    for database in engines::each().await {
        let (owner, mails) = (historic().await, Mails::on(database).await);
        let handle = counting(&mails, Way::sound(owner.feed()), mails.tally(1)).start();
        handle.caught_up(SOON).await.unwrap();
        eventually("its sum", || async { mails.count(SUM).await == sum }).await;
        handle.stop().await;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Currency {
    Unspecified = 0,
    Euro = 1,
}

/// E32: a value that only a later version of the contract has is not guessed at.
#[tokio::test]
async fn an_unknown_value_of_an_enum_parks_with_its_bytes_and_reason() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.emit(placed("k0", 7)).await;
    owner.emit(placed("k1", 1)).await;
    let subscription = Subscription::views("mails", "orders").on_event::<PlacedView, _>(
        |work, event: Delivered<PlacedView>| {
            async move {
                let currency = Currency::try_from(i32::try_from(event.value.cents).unwrap_or(0))?;
                crate::fixture::effect(work, event.key(), event.version(), format!("{currency:?}")).await?;
                Ok(())
            }
            .boxed_local()
        },
    );
    let handle = resubscribed(&mails, &owner, subscription).start();
    handle.caught_up(SOON).await.unwrap();
    let dead = DeadLetters::new(mails.store.clone()).list(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].key.as_str(), dead[0].parking), (1, "k0", Parking::Dead));
    assert!(dead[0].reason.contains('7'), "{}", dead[0].reason);
    assert_eq!(seen(&mails).await, ["Euro"], "all other keys go on");
    handle.stop().await;
}
