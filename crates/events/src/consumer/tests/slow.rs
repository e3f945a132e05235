//! A consumer that is slower than its owner, or whose acknowledgements get lost, is not sent everything again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Messages};
use freehold_store::{Queries, StoreError, Work, vals};
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    AckRequest, AckResponse, HeadRequest, HeadResponse, Position, SubscribeRequest, SubscribeResponse,
};
use tokio::sync::watch;

use crate::consumer::fault::Faults;
use crate::feed::{Feed, Options};
use crate::fixture::{CONTRACT, Mails, Owner, SOON, SUBSCRIPTION, Way, context, effect, eventually};
use crate::link::Link;

const EVENTS: usize = 2000;

/// A way that counts the events on it, and loses acknowledgements while it is told to.
#[derive(Clone)]
struct Counted {
    way: Way,
    sent: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
    loses_acks: Arc<AtomicBool>,
    lost: Arc<AtomicUsize>,
}

impl Counted {
    /// Heartbeats are so rare that a busy machine is not taken for a silent owner.
    fn on(owner: &Owner) -> Self {
        let options = Options { heartbeat: Duration::from_secs(30), batch: 16, chunk: 5 };
        let feed = Feed::with_options(owner.store.clone(), &CONTRACT, options).unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let damage = Arc::new(move |item: &Item| {
            counted.fetch_add(usize::from(matches!(item, Item::Event(_))), Ordering::SeqCst);
            1
        });
        let way = Way { feed, caller: "mails", damage };
        Self { way, sent, streams: Arc::default(), loses_acks: Arc::default(), lost: Arc::default() }
    }

    fn client(&self) -> FeedClient {
        FeedClient::from_stub(self.clone())
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counted")
    }
}

#[async_trait]
impl FeedStub for Counted {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        options: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        self.streams.fetch_add(1, Ordering::SeqCst);
        self.way.subscribe(request, options).await
    }

    async fn head(&self, request: HeadRequest, options: &CallOptions) -> Result<HeadResponse, Error> {
        self.way.head(request, options).await
    }

    async fn ack(&self, request: AckRequest, options: &CallOptions) -> Result<AckResponse, Error> {
        let answer = self.way.ack(request, options).await?;
        if self.loses_acks.load(Ordering::SeqCst) {
            self.lost.fetch_add(1, Ordering::SeqCst);
            return Err(tonic::Status::unavailable("the answer is lost").into());
        }
        Ok(answer)
    }
}

/// E34: a consumer that stands still while its owner goes far ahead is sent every event once, on the stream that it has.
#[tokio::test]
async fn a_consumer_far_behind_is_sent_each_event_once() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_at_once(20, 1).await;
    let (stop, stopped) = watch::channel(true);
    let way = Counted::on(&owner);
    let faults = Faults { stopped: Some(stopped), ..Faults::default() };
    let handle = mails.consumer(way.client()).faults(faults).start();
    eventually("a first batch", || async { way.sent.load(Ordering::SeqCst) > 0 }).await;
    owner.place_at_once(20, 99).await;
    assert!(way.sent.load(Ordering::SeqCst) < EVENTS / 10, "the owner waits for its reader");
    stop.send_replace(false);
    handle.caught_up(SOON).await.unwrap();
    assert_eq!((way.sent.load(Ordering::SeqCst), way.streams.load(Ordering::SeqCst)), (EVENTS, 1));
    assert!(mails.is_once_in_order(20, 100).await);
    handle.stop().await;

    let (mails, way) = (Mails::open().await, Counted::on(&owner));
    tearing(&mails, &way).await;
    assert!(way.sent.load(Ordering::SeqCst) > EVENTS + EVENTS / 100, "the planted bug is seen");
}

/// A consumer that leaves the stream again and again, and goes on behind what it has acknowledged, one batch ago.
async fn tearing(mails: &Mails, way: &Counted) {
    let (mut acknowledged, mut last): (Option<Position>, Option<Position>) = (None, None);
    while last.is_none_or(|last| last.mark < EVENTS as i64) {
        let link = Link::new(way.client(), SUBSCRIPTION, ["o.v1.Placed"]);
        let mut arrivals = link.open(acknowledged).await.unwrap().patient();
        for _ in 0..3 {
            let batch = arrivals.next(7).await.unwrap();
            acknowledged = last.replace(batch.position);
            let unit = async move |work: &mut Work| {
                for event in &batch.events {
                    effect(work, &event.subject, event.version, String::new()).await?;
                }
                Ok(())
            };
            mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
            if last.is_some_and(|last| last.mark >= EVENTS as i64) {
                return;
            }
        }
    }
}

/// E24 without a reaction to blame: parking, causes and tombstones cost time, too. The planted bug, red before, tries
/// the same batch again for ever.
#[tokio::test]
async fn a_batch_that_takes_too_long_is_taken_in_parts() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_at_once(10, 3).await;
    let faults = Faults { most: Some(2), ..Faults::default() };
    let handle = mails.consumer(Way::sound(owner.feed())).faults(faults).start();
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(10, 3).await, "{:?}", mails.effects().await);
    handle.stop().await;
}

/// E21: acknowledgements whose answers are lost are made again, and nothing is sent or taken twice for it.
#[tokio::test]
async fn lost_acknowledgements_are_made_up_for_by_later_ones() {
    const MARK: &str = "SELECT mark FROM freehold_subscription";
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let way = Counted::on(&owner);
    way.loses_acks.store(true, Ordering::SeqCst);
    let handle = mails.start(way.client());
    owner.place_all(5, 2).await;
    eventually("a lost acknowledgement", || async { way.lost.load(Ordering::SeqCst) > 0 }).await;
    way.loses_acks.store(false, Ordering::SeqCst);
    owner.place_all_from(5, 3, 3).await;
    eventually("the owner to hear of all", || async {
        let row = owner.store.read().await.unwrap().one(MARK, vals![]).await.unwrap();
        row.is_some_and(|row| row.get::<i64>("mark").unwrap() == 15)
    })
    .await;
    assert!(mails.is_once_in_order(5, 3).await);
    assert_eq!(way.sent.load(Ordering::SeqCst), 15);
    handle.stop().await;
}
