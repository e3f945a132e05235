//! E42: what is read again has no effect again, and a view that is built tells nobody anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_client::FeedClient;
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
use crate::fixture::{Mailed, Mails, Owner, PlacedView, SOON, SUBSCRIPTION, Way, eventually};
use crate::{Delivered, Operations, Projection, Subscription};

/// A way, and how many events have come along it.
fn counted(owner: &Owner) -> (FeedClient, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&sent);
    let way = Way::damaged(owner.feed(), move |item| {
        counts.fetch_add(usize::from(matches!(item, Item::Event(_))), Ordering::SeqCst);
        1
    });
    (way, sent)
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

fn mark(position: &Option<Position>) -> i64 {
    position.as_ref().unwrap().mark
}

const MARK: &str = "SELECT mark AS n FROM freehold_position";

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
            let (way, sent) = counted(&owner);
            let mut consumer = mails.consumer(way);
            consumer.options.instances = Some(instances);
            let handle = consumer.start();
            eventually("all effects", || async { mails.effects().await.len() == 20 }).await;
            eventually("all of it read", || async { mails.count(MARK).await == 20 }).await;
            let (before, had) = (sent.load(Ordering::SeqCst), reactions.load(Ordering::SeqCst));
            let answer = replay(&mails, asked(None)).await.unwrap();
            assert_eq!((mark(&answer.position), mark(&answer.after)), (20, 0));
            eventually("all of it again", || async { sent.load(Ordering::SeqCst) == before + 20 }).await;
            eventually("all of it read", || async { mails.count(MARK).await == 20 }).await;
            assert_eq!(reactions.load(Ordering::SeqCst), had);
            assert!(mails.is_once_in_order(4, 5).await);

            purge(&mails, "DELETE FROM freehold_inbox").await;
            replay(&mails, asked(Some(0))).await.unwrap();
            eventually("effects again", || async { mails.effects().await.len() > 20 }).await;
            assert!(!mails.is_once_in_order(4, 5).await, "the planted bug is seen");
            handle.stop().await;
        }
    }
}

#[tokio::test]
async fn a_replay_goes_back_as_far_as_is_said_and_is_on_record() {
    let record = "SELECT count(*) AS n FROM freehold_replay WHERE who = 'ann' AND mark = 3 AND stood = 6";
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(2, 3).await;
        let (way, sent) = counted(&owner);
        let handle = mails.start(way);
        handle.caught_up(SOON).await.unwrap();
        let dry = replay(&mails, asked(Some(3)).with_dry_run(true)).await.unwrap();
        assert_eq!((mark(&dry.position), mark(&dry.after)), (6, 3));
        assert_eq!((mails.count(record).await, mails.count(MARK).await), (0, 6));
        replay(&mails, asked(Some(3))).await.unwrap();
        assert_eq!(mails.count(record).await, 1);
        eventually("three events again", || async { sent.load(Ordering::SeqCst) == 9 }).await;
        eventually("all of it read", || async { mails.count(MARK).await == 6 }).await;
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
        assert_eq!(mails.count(TOLD).await, 0);
        let from = replay(&mails, asked(Some(1)).with_subscription("mails/told")).await.unwrap_err();
        assert_eq!(from.code(), Code::InvalidArgument);
        handle.stop().await;
    }
}
