//! E42: what is read again has no effect again, and a view that is built tells nobody anything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use freehold_client::FeedClient;
use freehold_store::{StoreError, Work, outbox};
use freehold_testkit::engines;
use freehold_wire::Context;
use freehold_wire::metadata::OPERATOR;
use freehold_wire::operations::OperationsService;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{Position, ReplayRequest, ReplayResponse};
use futures_util::FutureExt;
use tonic::{Code, Status};

use super::projections::counting;
use super::purge;
use crate::consumer::Instances;
use crate::fixture::{Mailed, Mails, Owner, PlacedView, SOON, SUBSCRIPTION, Way, context, eventually};
use crate::{Delivered, Handle, Operations, Projection, State, Subscription};

/// The marks of the events that have come along a way.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<i64>>>);

impl Sent {
    /// Those since this was asked last.
    fn take(&self) -> BTreeSet<i64> {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().collect()
    }
}

fn noted(owner: &Owner) -> (FeedClient, Sent) {
    let sent = Sent::default();
    let notes = sent.clone();
    let way = Way::damaged(owner.feed(), move |item| {
        if let Item::Event(event) = item {
            notes.0.lock().unwrap().extend(mark(&event.position));
        }
        1
    });
    (way, sent)
}

fn started(mails: &Mails, way: FeedClient, instances: Instances) -> Handle {
    let mut consumer = mails.consumer(way);
    consumer.options.instances = Some(instances);
    consumer.start()
}

fn asked(after: Option<i64>) -> ReplayRequest {
    let mut request = ReplayRequest::default().with_subscription(SUBSCRIPTION).with_who("ann");
    request.after = after.map(|mark| Position::default().with_mark(mark));
    request
}

async fn replay(mails: &Mails, request: ReplayRequest) -> Result<ReplayResponse, Status> {
    let operator = Context::new(OPERATOR, SOON);
    let answer = Operations::new(mails.store.clone()).replay(operator, request).await?;
    Ok(answer.into_parts().0)
}

fn mark(position: &Option<Position>) -> Option<i64> {
    position.as_ref().map(|position| position.mark)
}

const MARK: &str = "SELECT mark AS n FROM freehold_position";
const ASKED: &str = "SELECT count(*) AS n FROM freehold_replay WHERE who = 'ann'";
const DONE: &str = "SELECT count(*) AS n FROM freehold_replay WHERE who = 'ann' AND outcome = 'done'";

/// E42: the reactions are not even asked, unless the inbox has forgotten what took effect, which is the planted bug.
#[tokio::test]
async fn what_is_read_again_takes_no_effect_again() {
    for instances in [Instances::One, Instances::Several] {
        for database in engines::each().await {
            let (owner, mails) = (Owner::open().await, Mails::on(database).await);
            owner.place_all(4, 5).await;
            let reactions = Arc::new(AtomicUsize::new(0));
            let reacts = Arc::clone(&reactions);
            mails.fail(move |_, _| {
                reacts.fetch_add(1, Ordering::SeqCst);
                Ok(())
            });
            let (way, sent) = noted(&owner);
            let handle = started(&mails, way, instances);
            handle.caught_up(SOON).await.unwrap();
            assert_eq!(sent.take().len(), 20);
            let had = reactions.load(Ordering::SeqCst);
            let answer = replay(&mails, asked(None)).await.unwrap();
            assert_eq!((mark(&answer.after), mark(&answer.until)), (None, Some(20)));
            eventually("its end", || async { mails.count(DONE).await == 1 }).await;
            assert_eq!(sent.take().len(), 20, "it was read again");
            assert_eq!(reactions.load(Ordering::SeqCst), had);
            assert!(mails.is_once_in_order(4, 5).await);

            purge(&mails, "DELETE FROM freehold_inbox").await;
            replay(&mails, asked(Some(0))).await.unwrap();
            eventually("its end", || async { mails.count(DONE).await == 2 }).await;
            assert_eq!(mails.effects().await.len(), 40, "the planted bug is seen");
            handle.stop().await;
        }
    }
}

/// What the inbox lacks of one key alone is taken in its order, once, while everything else goes on.
#[tokio::test]
async fn what_did_not_take_effect_does_and_what_comes_anew_goes_on() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        owner.place_all(3, 4).await;
        handle.caught_up(SOON).await.unwrap();
        purge(&mails, "DELETE FROM freehold_inbox WHERE key = 'k0'").await;
        purge(&mails, "DELETE FROM effect WHERE key = 'k0'").await;
        replay(&mails, asked(None)).await.unwrap();
        owner.place_all_from(3, 5, 8).await;
        eventually("its end", || async { mails.count(DONE).await == 1 }).await;
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(3, 8).await, "{:?}", mails.effects().await);
        handle.stop().await;
    }
}

#[tokio::test]
async fn a_replay_reads_what_is_said_and_is_on_record() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(2, 3).await;
        let (way, sent) = noted(&owner);
        let handle = mails.start(way);
        handle.caught_up(SOON).await.unwrap();
        sent.take();
        let dry = replay(&mails, asked(Some(3)).with_dry_run(true)).await.unwrap();
        assert_eq!((mark(&dry.after), mark(&dry.until)), (Some(3), Some(6)));
        assert_eq!(mails.count(ASKED).await, 0, "a dry run does nothing");
        replay(&mails, asked(Some(3))).await.unwrap();
        eventually("its end", || async { mails.count(DONE).await == 1 }).await;
        assert_eq!(sent.take(), BTreeSet::from([4, 5, 6]));
        assert_eq!(mails.count(MARK).await, 6, "the subscription stays where it was");
        let operator = Context::new(OPERATOR, SOON);
        let answer =
            Operations::new(mails.store.clone()).list_subscriptions(operator, Default::default()).await;
        let told = answer.unwrap().subscriptions[0].replay.clone().unwrap();
        assert_eq!(
            (mark(&told.position), told.who.as_str(), told.outcome.as_str()),
            (Some(6), "ann", "done")
        );
        handle.stop().await;
    }
}

#[tokio::test]
async fn a_replay_of_what_cannot_be_is_refused() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(1, 2).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    let refused = async |request| replay(&mails, request).await.unwrap_err().code();
    assert_eq!(refused(asked(Some(3))).await, Code::InvalidArgument, "it has not come by there");
    let elsewhere = Position::default().with_epoch(7).with_mark(1);
    assert_eq!(refused(asked(None).with_after(elsewhere)).await, Code::InvalidArgument);
    assert_eq!(refused(asked(None).with_subscription("mails/views/users")).await, Code::NotFound);
    purge(&mails, "UPDATE freehold_position SET subscription = 'mails/replica/o.v1.Order'").await;
    let copy = asked(None).with_subscription("mails/replica/o.v1.Order");
    assert_eq!(refused(copy).await, Code::FailedPrecondition);
    let stranger = Context::new("mails", SOON);
    let answer = Operations::new(mails.store.clone()).replay(stranger, asked(None)).await;
    assert_eq!(answer.unwrap_err().code(), Code::PermissionDenied);
}

/// What its owner let go of is gone, which is on record; what is kept is taken, once, and what comes goes on.
#[tokio::test]
async fn a_subscription_that_was_left_behind_begins_anew_with_what_is_kept() {
    const ANEW: &str = "SELECT count(*) AS n FROM freehold_replay WHERE outcome LIKE 'begun anew after 4%'";
    for instances in [Instances::One, Instances::Several] {
        for database in engines::each().await {
            let (owner, mails) = (Owner::open().await, Mails::on(database).await);
            owner.place_all(1, 2).await;
            let handle = started(&mails, Way::sound(owner.feed()), instances);
            handle.caught_up(SOON).await.unwrap();
            handle.stop().await;
            owner.place_all_from(1, 3, 5).await;
            let unit = async |work: &mut Work| outbox::purge(work, 4, i64::MAX).await;
            owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
            let handle = started(&mails, Way::sound(owner.feed()), instances);
            let failed = async || matches!(handle.status().await.unwrap()[0].state, State::Failed(_));
            eventually("that it was left behind", failed).await;
            replay(&mails, asked(None)).await.unwrap();
            eventually("what is kept", || async { mails.versions("k0").await == [1, 2, 5] }).await;
            owner.place_all_from(1, 6, 6).await;
            handle.caught_up(SOON).await.unwrap();
            assert_eq!((mails.versions("k0").await, mails.count(ANEW).await), (vec![1, 2, 5, 6], 1));
            handle.stop().await;
        }
    }
}

/// Of another history the versions mean other events: of these nothing is taken.
#[tokio::test]
async fn a_replay_does_not_mix_two_histories() {
    const OTHER: &str = "SELECT count(*) AS n FROM freehold_replay WHERE outcome LIKE '%another one%'";
    let (owner, other, mails) = (Owner::open().await, Owner::open().await, Mails::open().await);
    owner.place_all(1, 2).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    other.place_all(1, 5).await;
    let handle = mails.start(Way::sound(other.feed()));
    replay(&mails, asked(None)).await.unwrap();
    eventually("its end", || async { mails.count(OTHER).await == 1 }).await;
    assert_eq!(mails.versions("k0").await, [1, 2]);
    handle.stop().await;
}

/// E42: a view whose reaction would tell something is stopped there, when it is built first and whenever it is again.
#[tokio::test]
async fn a_view_that_is_built_anew_tells_nobody_anything() {
    const TOLD: &str = "SELECT count(*) AS n FROM freehold_outbox";
    const SAID: &str =
        "SELECT count(*) AS n FROM freehold_parked WHERE state = 'dead' AND reason LIKE '%m.v1.Mailed%'";
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(3, 1).await;
        let telling = Projection::new("mails", "told", "orders", 1, |_| {
            vec![Subscription::views("mails", "orders").on_event::<PlacedView, _>(
                |work, event: Delivered<PlacedView>| {
                    async move {
                        work.emit(&Mailed { order_id: event.key().to_owned() }).await?;
                        Ok(())
                    }
                    .boxed_local()
                },
            )]
        });
        let handle = counting(&mails, Way::sound(owner.feed()), telling).start();
        eventually("three dead letters", || async { mails.count(SAID).await == 3 }).await;
        let answer = replay(&mails, asked(None).with_subscription("mails/told")).await.unwrap();
        assert_eq!(answer.generation, 2);
        let again = "SELECT count(*) AS n FROM freehold_parked WHERE state = 'dead' AND subscription = 'mails/told/2'";
        eventually("three of the new ones", || async { mails.count(again).await == 3 }).await;
        assert_eq!((mails.count(TOLD).await, mails.count(ASKED).await), (0, 1));
        let from = replay(&mails, asked(Some(1)).with_subscription("mails/told")).await.unwrap_err();
        assert_eq!(from.code(), Code::InvalidArgument);
        handle.stop().await;
    }
}
