//! What a consumer depends on is down, or too busy, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Messages};
use freehold_store::{Queries, vals};
use freehold_wire::pb::{HeadRequest, HeadResponse, SubscribeRequest, SubscribeResponse};

use super::purge;
use crate::fixture::{Mails, Owner, SOON, Way, eventually};
use crate::{Consumer, ReactionError, RetryPolicy};
use freehold_testkit::engines;

const MINUTE: Duration = Duration::from_secs(60);
/// So long that no key is tried a second time while the first attempts go on, however slow the machine is.
const HOUR: Duration = Duration::from_secs(3600);

/// A consumer with that policy, whose dependency answers while this says so.
fn depending(mails: &Mails, owner: &Owner, policy: RetryPolicy, up: &Arc<AtomicBool>) -> Consumer {
    let up = Arc::clone(up);
    mails.fail(move |_, _| match up.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err(ReactionError::Retry("the dependency is down".to_owned())),
    });
    let mut consumer = mails.consumer(Way::sound(owner.feed()));
    consumer.options.retry = policy;
    consumer
}

/// How many dead letters ten minutes of it come to. The minutes are taken from the rows, not from the clock.
async fn dead_after_ten_minutes(database: engines::Database, policy: RetryPolicy) -> i64 {
    const DEAD: &str = "SELECT count(*) AS n FROM freehold_parked WHERE state = 'dead'";
    // The fewest attempts of a key, none of which is under way.
    const LEAST: &str = "SELECT min(CASE WHEN unanswered = 0 THEN attempts ELSE 0 END) AS n \
                         FROM freehold_parked WHERE state <> 'behind'";
    const MINUTES: &str =
        "UPDATE freehold_parked SET tried_ms = tried_ms - 60000, next_ms = 0 WHERE state = 'waiting'";
    let (owner, mails) = (Owner::open().await, Mails::on(database).await);
    owner.place_all(20, 2).await;
    let up = Arc::new(AtomicBool::new(false));
    let handle = depending(&mails, &owner, policy, &up).start();
    eventually("twenty parked keys", || async {
        mails.count("SELECT count(*) AS n FROM freehold_parked").await == 40
    })
    .await;
    for _ in 0..10 {
        let before = mails.count(LEAST).await;
        purge(&mails, MINUTES).await;
        let tried = || async { mails.count(LEAST).await > before || mails.count(DEAD).await > 0 };
        eventually("another attempt at each", tried).await;
    }
    let dead = mails.count(DEAD).await;
    up.store(true, Ordering::SeqCst);
    if dead == 0 {
        purge(&mails, "UPDATE freehold_parked SET next_ms = 0 WHERE state = 'waiting'").await;
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(20, 2).await, "{:?}", mails.effects().await);
    }
    handle.stop().await;
    dead
}

/// E31: ten minutes without the dependency make no dead letter, and all effects come once it is back, in order. The
/// planted bug gives up after five minutes.
#[tokio::test]
async fn ten_minutes_without_a_dependency_make_no_dead_letter() {
    let policy = RetryPolicy { base: MINUTE, cap: MINUTE, ..RetryPolicy::default() };
    for database in engines::each().await {
        assert_eq!(dead_after_ten_minutes(database, policy).await, 0);
    }
    let hasty = RetryPolicy { horizon: MINUTE * 5, ..policy };
    assert_ne!(dead_after_ten_minutes(engines::sqlite(), hasty).await, 0, "the planted bug is seen");
}

/// How many of the parked keys are due in each quarter of an hour after their first failure.
async fn quarters(mails: &Mails) -> [usize; 4] {
    const DELAYS: &str = "SELECT next_ms - parked_ms AS n FROM freehold_parked WHERE state = 'waiting'";
    let rows = mails.store.read().await.unwrap().all(DELAYS, vals![]).await.unwrap();
    let mut quarters = [0; 4];
    for row in rows {
        let delay = usize::try_from(row.get::<i64>("n").unwrap().max(0)).unwrap();
        quarters[(delay / 900_000).min(3)] += 1;
    }
    quarters
}

/// E33: the retries of a thousand keys are spread over the whole delay and never run two at a time. The planted bug is a
/// delay without chance.
#[tokio::test]
async fn a_thousand_parked_keys_come_back_spread_and_one_at_a_time() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_at_once(1000, 1).await;
    let up = Arc::new(AtomicBool::new(false));
    let policy = RetryPolicy { base: HOUR, cap: HOUR, ..RetryPolicy::default() };
    let handle = depending(&mails, &owner, policy, &up).start();
    eventually("a thousand parked keys", || async {
        mails.count("SELECT count(*) AS n FROM freehold_parked").await == 1000
    })
    .await;
    let spread = |quarters: [usize; 4]| quarters.iter().all(|count| *count > 100);
    let had = quarters(&mails).await;
    assert!(spread(had), "{had:?}");
    purge(&mails, "UPDATE freehold_parked SET next_ms = parked_ms + 3600000").await;
    assert!(!spread(quarters(&mails).await), "the planted bug is seen");

    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    mails.fail(move |_, _| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        now.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    });
    purge(&mails, "UPDATE freehold_parked SET next_ms = 0").await;
    eventually("a thousand effects", || async { mails.effects().await.len() == 1000 }).await;
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert!(mails.is_once_in_order(1000, 1).await);
    handle.stop().await;
}

/// A feed that is too busy to tell its head this many times.
#[derive(Debug)]
struct Busy(FeedClient, AtomicUsize);

#[async_trait]
impl FeedStub for Busy {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        _: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        self.0.subscribe(request).await
    }

    async fn head(&self, request: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        match self.1.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(tonic::Status::deadline_exceeded("busy").into()),
            Err(_) => self.0.head(request).await,
        }
    }
}

/// Planted bug: the first call that fails is the answer.
#[tokio::test]
async fn an_owner_too_busy_to_tell_its_head_is_asked_again() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 2).await;
    let feed = Busy(Way::sound(owner.feed()), AtomicUsize::new(3));
    let handle = mails.consumer(FeedClient::from_stub(feed)).start();
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 2).await, "{:?}", mails.effects().await);
    handle.stop().await;
}
