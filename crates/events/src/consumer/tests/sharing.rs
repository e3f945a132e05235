//! Two instances of one consumer on one database divide its keys; on SQLite two consumers in a process stand for them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use freehold_client::FeedClient;
use freehold_testkit::engines;
use freehold_wire::Shares;
use freehold_wire::pb::subscribe_response::Item;
use tokio::sync::watch;

use crate::consumer::{Faults, Instances, Point};
use crate::fixture::{Mails, Owner, SOON, Way, eventually};
use crate::sharing::Pace;
use crate::{Consumer, Handle, ReactionError};

/// Nobody is taken for dead, however busy the machine is.
const PATIENT: Pace = Pace { beat: Duration::from_millis(20), lease: Duration::from_secs(3600) };
/// Whoever stands still soon is. One that is only slow may be as well: then its shares come back to it.
const QUICK: Pace = Pace { beat: Duration::from_millis(20), lease: Duration::from_millis(400) };

fn instance(mails: &Mails, feed: FeedClient, pace: Pace) -> Consumer {
    let mut consumer = mails.consumer(feed);
    consumer.options.instances = Some(Instances::Several);
    consumer.options.pace = pace;
    consumer
}

/// Everything that an instance is sent, by key.
type Sent = Arc<Mutex<BTreeMap<String, usize>>>;

fn watched(owner: &Owner) -> (FeedClient, Sent) {
    let sent = Sent::default();
    let noted = Arc::clone(&sent);
    let way = Way::damaged(owner.feed(), move |item| {
        if let Item::Event(event) = item {
            *noted.lock().unwrap().entry(event.subject.clone()).or_default() += 1;
        }
        1
    });
    (way, sent)
}

/// So many instances have equal parts of all shares.
async fn divided(mails: &Mails, instances: i64) {
    const PARTS: &str = "SELECT count(*) AS n FROM freehold_portion";
    const HELD: &str = "SELECT count(DISTINCT shares) AS n FROM freehold_portion WHERE shares <> 0";
    eventually("equal parts", || async {
        mails.count(PARTS).await == instances
            && mails.count(HELD).await == instances
            && held(mails).await.iter().all(|shares| i64::from(shares.count()) == 64 / instances)
    })
    .await;
}

async fn held(mails: &Mails) -> Vec<Shares> {
    use freehold_store::{Queries, vals};
    let mut read = mails.store.read().await.unwrap();
    let rows = read.all("SELECT shares FROM freehold_portion", vals![]).await.unwrap();
    rows.iter().map(|row| Shares::of_bits(row.get::<i64>("shares").unwrap().cast_unsigned())).collect()
}

/// What the owner may forget.
async fn acknowledged(owner: &Owner) -> i64 {
    use freehold_store::{Queries, vals};
    const LOOK: &str = "SELECT coalesce(max(mark), 0) AS n FROM freehold_subscription";
    owner.store.read().await.unwrap().one(LOOK, vals![]).await.unwrap().unwrap().get("n").unwrap()
}

#[tokio::test]
async fn two_instances_are_sent_different_keys_and_take_each_effect_once() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let ((one, to_one), (two, to_two)) = (watched(&owner), watched(&owner));
        let handles = [instance(&mails, one, PATIENT).start(), instance(&mails, two, PATIENT).start()];
        divided(&mails, 2).await;
        owner.place_all(40, 5).await;
        eventually("all effects", || async { mails.effects().await.len() == 200 }).await;
        assert!(mails.is_once_in_order(40, 5).await, "{:?}", mails.effects().await);
        let (to_one, to_two) = (to_one.lock().unwrap().clone(), to_two.lock().unwrap().clone());
        assert!(to_one.len() > 5 && to_two.len() > 5, "{} and {} keys", to_one.len(), to_two.len());
        // Whoever had more shares before the other came may have read a little of what it no longer has.
        eventually("the owner to hear of it", || async { acknowledged(&owner).await == 200 }).await;
        stop(handles).await;
        assert_eq!(held(&mails).await, [], "what is left is free");
    }
}

async fn stop(handles: impl IntoIterator<Item = Handle>) {
    for handle in handles {
        handle.stop().await;
    }
}

#[tokio::test]
async fn an_instance_that_comes_takes_its_part_and_one_that_goes_leaves_it() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let first = instance(&mails, Way::sound(owner.feed()), PATIENT).start();
        owner.place_all(30, 2).await;
        let second = instance(&mails, Way::sound(owner.feed()), PATIENT).start();
        let third = instance(&mails, Way::sound(owner.feed()), PATIENT).start();
        owner.place_all_from(30, 3, 4).await;
        eventually("three parts", || async { held(&mails).await.len() == 3 }).await;
        stop([first, third]).await;
        owner.place_all_from(30, 5, 6).await;
        divided(&mails, 1).await;
        eventually("all effects", || async { mails.effects().await.len() == 180 }).await;
        assert!(mails.is_once_in_order(30, 6).await, "{:?}", mails.effects().await);
        stop([second]).await;
        // One that runs alone goes on where they all were.
        owner.place_all_from(30, 7, 7).await;
        let alone = mails.start(Way::sound(owner.feed()));
        alone.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(30, 7).await);
        stop([alone]).await;
    }
}

/// Where the units of an instance came by, in their order.
type Passed = Arc<Mutex<Vec<Point>>>;

/// An instance that holds everything, has read a batch and stands still before it takes it in.
async fn standing_still(
    mails: &Mails,
    owner: &Owner,
    unfenced: bool,
) -> (Handle, watch::Sender<bool>, Passed) {
    let (stop, stopped) = watch::channel(false);
    let passed = Passed::default();
    let noted = Arc::clone(&passed);
    let dies = move |point| {
        noted.lock().unwrap().push(point);
        false
    };
    let faults = Faults { stopped: Some(stopped), unfenced, dies: Some(Arc::new(dies)), ..Faults::default() };
    let handle = instance(mails, Way::sound(owner.feed()), QUICK).faults(faults).start();
    divided(mails, 1).await;
    stop.send_replace(true);
    owner.place_all(12, 3).await;
    eventually("a batch", || async { passed.lock().unwrap().contains(&Point::BeforeUnit) }).await;
    (handle, stop, passed)
}

/// Whether the unit that stood still got by its fence, once the other instance has had all.
async fn commits_late(database: engines::Database, unfenced: bool) -> bool {
    let (owner, mails) = (Owner::open().await, Mails::on(database).await);
    let (first, still, passed) = standing_still(&mails, &owner, unfenced).await;
    assert_eq!(mails.effects().await, []);
    let second = instance(&mails, Way::sound(owner.feed()), QUICK).start();
    eventually("all effects", || async { mails.effects().await.len() == 36 }).await;
    eventually("the owner to hear of it", || async { acknowledged(&owner).await == 36 }).await;
    still.send_replace(false);
    eventually("the late unit", || async { passed.lock().unwrap().contains(&Point::BeforePosition) }).await;
    owner.place_all_from(12, 4, 5).await;
    eventually("all effects", || async { mails.effects().await.len() == 60 }).await;
    assert!(mails.is_once_in_order(12, 5).await, "{:?}", mails.effects().await);
    stop([first, second]).await;
    let passed = passed.lock().unwrap();
    let at = passed.iter().position(|point| *point == Point::BeforePosition).unwrap();
    passed.get(at + 1) == Some(&Point::BeforeCommit)
}

/// E20, E29: an instance that stood still while another took its shares is refused, and each effect is taken once. The
/// planted bug is a commit that does not ask.
#[tokio::test]
async fn an_instance_that_lost_its_shares_while_it_stood_still_commits_nothing() {
    for database in engines::each().await {
        assert!(!commits_late(database, false).await);
    }
    assert!(commits_late(engines::sqlite(), true).await, "the planted bug is seen");
}

/// E30: what one instance has done is not acknowledged past what another one has not.
#[tokio::test]
async fn what_the_slower_instance_has_not_done_is_not_acknowledged() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let (stop_it, stopped) = watch::channel(false);
        let faults = Faults { stopped: Some(stopped), ..Faults::default() };
        let slow = instance(&mails, Way::sound(owner.feed()), PATIENT).faults(faults).start();
        let fast = instance(&mails, Way::sound(owner.feed()), PATIENT).start();
        divided(&mails, 2).await;
        stop_it.send_replace(true);
        owner.place_all(30, 2).await;
        const FASTEST: &str = "SELECT max(mark) AS n FROM freehold_portion";
        eventually("the fast one", || async { mails.count(FASTEST).await == 60 }).await;
        let done = mails.effects().await.len();
        assert!(done > 0 && done < 60, "{done}");
        const WHOLE: &str = "SELECT mark AS n FROM freehold_position";
        const SLOWEST: &str = "SELECT min(mark) AS n FROM freehold_portion";
        assert!(mails.count(WHOLE).await <= mails.count(SLOWEST).await);
        assert_eq!(
            acknowledged(&owner).await,
            0,
            "the first event is the slow one's, or it has not come by it"
        );
        stop_it.send_replace(false);
        eventually("the owner to hear of it", || async { acknowledged(&owner).await == 60 }).await;
        assert!(mails.is_once_in_order(30, 2).await);
        stop([slow, fast]).await;
    }
}

/// E26: the keys that an instance parked are tried again by whoever is left.
#[tokio::test]
async fn parked_keys_of_an_instance_that_is_gone_are_tried_again_by_another() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let failures = Arc::new(AtomicUsize::new(0));
        let failed = Arc::clone(&failures);
        mails.fail(move |_, version| {
            failed.fetch_add(1, Ordering::SeqCst);
            if version == 2 { Err(ReactionError::Retry("down".to_owned())) } else { Ok(()) }
        });
        let first = instance(&mails, Way::sound(owner.feed()), PATIENT).start();
        owner.place_all(10, 3).await;
        let parked = "SELECT count(*) AS n FROM freehold_parked";
        eventually("ten parked keys", || async { mails.count(parked).await == 20 }).await;
        stop([first]).await;
        mails.fail(|_, _| Ok(()));
        let second = instance(&mails, Way::sound(owner.feed()), PATIENT).start();
        eventually("all effects", || async { mails.effects().await.len() == 30 }).await;
        assert!(mails.is_once_in_order(10, 3).await, "{:?}", mails.effects().await);
        stop([second]).await;
    }
}
