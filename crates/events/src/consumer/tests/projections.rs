//! Projections: what is rebuilt while writes go on, and what a rebuild waits for or is refused for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Messages};
use freehold_store::{Queries, StoreError, Work, vals};
use freehold_wire::pb::{HeadRequest, HeadResponse, SubscribeRequest, SubscribeResponse};
use freehold_wire::{Context, reason};
use tonic::{Code, Status};

use super::{Consumer, purge};
use crate::consumer::fault::{Faults, Point};
use crate::fixture::{Mails, Owner, SOON, Way, context, eventually, placed};
use crate::projection::{HISTORY_PURGED, Projection, RebuildError, read_generation};
use crate::{DeadLetters, Handle, ReactionError, State};
use freehold_testkit::engines;

const VIEW: &str = "mails/tally";

/// A consumer of that view alone.
pub(super) fn counting(mails: &Mails, feed: FeedClient, tally: Projection) -> Consumer {
    let mut consumer = mails.consumer(feed).project(tally);
    consumer.subscriptions.clear();
    consumer
}

/// The generation that is read, how many events it has counted and what they sum up to: of one moment.
pub(super) async fn seen(mails: &Mails) -> (i64, i64, i64) {
    const COUNTED: &str = "SELECT COALESCE(CAST(sum(events) AS BIGINT), 0) AS events, \
                           COALESCE(CAST(sum(cents) AS BIGINT), 0) AS cents FROM tally WHERE generation = $1";
    let mut read = mails.store.read().await.unwrap();
    let generation = read_generation(&mut read, VIEW).await.unwrap().unwrap_or_default();
    let row = read.one(COUNTED, vals![generation]).await.unwrap().unwrap();
    (generation, row.get("events").unwrap(), row.get("cents").unwrap())
}

/// Begins a rebuild as a service does; the generation that is built.
pub(super) async fn rebuild(mails: &Mails, owner: &Owner, tally: &Projection) -> i64 {
    let rebuilds = tally.rebuilds_from(Way::sound(owner.feed()));
    rebuilds.are_possible(&context()).await.unwrap();
    let begins = rebuilds.clone();
    let unit = async move |work: &mut Work| begins.begin(work, "a test").await;
    let (generation, _) = mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    rebuilds.have_begun();
    generation
}

pub(super) async fn is_read(mails: &Mails, generation: i64) {
    eventually("the swap", || async { seen(mails).await.0 == generation }).await;
}

/// Nothing is left of what was read before `generation`, here or at its owner.
pub(super) async fn is_swept(mails: &Mails, owner: &Owner, generation: i64) {
    const LEFT: &str = "SELECT (SELECT count(*) FROM tally WHERE generation <> $1) \
                        + (SELECT count(*) FROM freehold_inbox WHERE subscription <> $2) \
                        + (SELECT count(*) FROM freehold_position WHERE subscription <> $2) \
                        + (SELECT count(*) FROM freehold_projection WHERE state = 'left') AS n";
    const REGISTERED: &str = "SELECT count(*) AS n FROM freehold_subscription WHERE subscription <> $1";
    let name = format!("{VIEW}/{generation}");
    let left = || async {
        let mut read = mails.store.read().await.unwrap();
        let here = read.one(LEFT, vals![generation, &name]).await.unwrap().unwrap();
        let mut read = owner.store.read().await.unwrap();
        let there = read.one(REGISTERED, vals![&name]).await.unwrap().unwrap();
        here.get::<i64>("n").unwrap() + there.get::<i64>("n").unwrap() == 0
    };
    eventually("the sweeping", left).await;
}

async fn started(mails: &Mails, owner: &Owner, tally: &Projection) -> Handle {
    let handle = counting(mails, Way::sound(owner.feed()), tally.clone()).start();
    handle.caught_up(SOON).await.unwrap();
    handle
}

/// E44: writers go on during the rebuild; readers see one generation or the other, never less than before, and the swap
/// leaves nothing behind.
#[tokio::test]
async fn a_view_is_rebuilt_while_writes_go_on_and_readers_never_see_half() {
    for database in engines::each().await {
        let (owner, mails) = (Arc::new(Owner::open().await), Mails::on(database).await);
        owner.place_at_once(20, 10).await;
        let tally = mails.tally(1);
        let handle = started(&mails, &owner, &tally).await;
        let done = Arc::new(AtomicBool::new(false));
        let (writing, writes_to, view) = (Arc::clone(&done), Arc::clone(&owner), mails.clone());
        let writer = tokio::spawn(async move {
            let mut written = 0;
            while !writing.load(Ordering::SeqCst) {
                writes_to.emit(placed(&format!("k{}", written % 20), 11)).await;
                written += 1;
                // As fast as the view follows: what gets away from it is not caught up with by any other.
                while seen(&view).await.1 <= 200 + written - 5 {
                    tokio::task::yield_now().await;
                }
            }
            written
        });
        let (reading, read_by) = (Arc::clone(&done), mails.clone());
        let reader = tokio::spawn(async move {
            let mut before = seen(&read_by).await;
            while !reading.load(Ordering::SeqCst) {
                let now = seen(&read_by).await;
                assert!(now >= before && now.1 >= before.1 && now.2 >= before.2, "{before:?}, then {now:?}");
                before = now;
                tokio::task::yield_now().await;
            }
        });
        for generation in 2..=4 {
            assert_eq!(rebuild(&mails, &owner, &tally).await, generation);
            is_read(&mails, generation).await;
        }
        done.store(true, Ordering::SeqCst);
        let written = writer.await.unwrap();
        reader.await.unwrap();
        handle.caught_up(SOON).await.unwrap();
        let sum = 20 * (1..=10).sum::<i64>() + 11 * written;
        assert_eq!(seen(&mails).await, (4, 200 + written, sum));
        is_swept(&mails, &owner, 4).await;
        handle.stop().await;
    }
}

/// E44: where a consumer that dies at once after the swap leaves its readers.
async fn after_the_swap(faults: Faults) -> (i64, i64) {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_at_once(20, 10).await;
    let tally = mails.tally(1);
    let handle = started(&mails, &owner, &tally).await;
    handle.stop().await;
    let (before, dead) = (seen(&mails).await.1, Arc::new(AtomicBool::new(false)));
    let died = Arc::clone(&dead);
    let dies = move |at| {
        dead.fetch_or(at == Point::AfterSwapCommit, Ordering::SeqCst) || at == Point::AfterSwapCommit
    };
    let faults = Faults { dies: Some(Arc::new(dies)), ..faults };
    let handle = counting(&mails, Way::sound(owner.feed()), tally.clone()).faults(faults).start();
    rebuild(&mails, &owner, &tally).await;
    eventually("the kill", || async { died.load(Ordering::SeqCst) }).await;
    handle.stop().await;
    let (generation, after, _) = seen(&mails).await;
    assert_eq!(generation, 2);
    (before, after)
}

/// E44: the planted bug, a swap without a look at the positions, shows half a view.
#[tokio::test]
async fn a_swap_that_does_not_compare_positions_would_be_seen() {
    let (before, after) = after_the_swap(Faults::default()).await;
    assert_eq!(before, after);
    let (before, after) = after_the_swap(Faults { swaps_anywhere: true, ..Faults::default() }).await;
    assert!(after < before, "{after} of {before} are read");
}

/// A rebuild that is asked for twice is one rebuild.
#[tokio::test]
async fn a_rebuild_that_is_under_way_is_joined() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 2).await;
    let tally = mails.tally(1);
    started(&mails, &owner, &tally).await.stop().await;
    assert_eq!(rebuild(&mails, &owner, &tally).await, 2);
    assert_eq!(rebuild(&mails, &owner, &tally).await, 2);
    let handle = started(&mails, &owner, &tally).await;
    is_read(&mails, 2).await;
    assert_eq!(rebuild(&mails, &owner, &tally).await, 3);
    handle.stop().await;
}

/// A view of another version stands still and is read until the new one stands where it does.
#[tokio::test]
async fn a_view_of_a_newer_version_is_built_anew_beside_the_old_one() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(5, 4).await;
        started(&mails, &owner, &mails.tally(1)).await.stop().await;
        owner.place_all_from(5, 5, 6).await;
        assert_eq!(seen(&mails).await.1, 20);
        let handle = started(&mails, &owner, &mails.tally(2)).await;
        assert_eq!(seen(&mails).await, (2, 30, 5 * 21));
        is_swept(&mails, &owner, 2).await;
        handle.stop().await;
        let handle = started(&mails, &owner, &mails.tally(2)).await;
        assert_eq!(seen(&mails).await.0, 2, "it is built once");
        handle.stop().await;
    }
}

/// What an owner keeps no more: everything before its last event.
async fn purge_owner(owner: &Owner) {
    owner.purge(owner.store.head().mark() - 1).await;
}

/// Without every event a view is not built: the one that is read has what is gone.
#[tokio::test]
async fn a_rebuild_is_refused_where_events_are_no_longer_kept() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(5, 4).await;
    started(&mails, &owner, &mails.tally(1)).await.stop().await;
    purge_owner(&owner).await;
    let rebuilds = mails.tally(1).rebuilds_from(Way::sound(owner.feed()));
    let refused = rebuilds.are_possible(&context()).await.unwrap_err();
    assert!(matches!(&refused, RebuildError::Purged { mark: 19, .. }), "{refused}");
    let status = Status::from(refused);
    assert_eq!((status.code(), reason::of(&status).as_str()), (Code::FailedPrecondition, HISTORY_PURGED));

    let handle = counting(&mails, Way::sound(owner.feed()), mails.tally(2)).start();
    let failed = || async {
        let all = handle.status().await.unwrap();
        all.iter().any(|status| matches!(&status.state, State::Failed(problem) if problem.contains("19")))
    };
    eventually("the refusal", failed).await;
    handle.stop().await;
    assert_eq!(seen(&mails).await, (1, 20, 50), "what is read is untouched");
    let handle = started(&mails, &owner, &mails.tally(1)).await;
    owner.emit(placed("k0", 5)).await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(seen(&mails).await, (1, 21, 55), "and goes on");
    handle.stop().await;
}

/// A view that never was is not built from half a history either.
#[tokio::test]
async fn a_first_view_is_refused_too_where_events_are_no_longer_kept() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(5, 4).await;
    purge_owner(&owner).await;
    let handle = counting(&mails, Way::sound(owner.feed()), mails.tally(1)).start();
    let failed = || async {
        let all = handle.status().await.unwrap();
        all.iter().any(|status| matches!(status.state, State::Failed(_)))
    };
    eventually("the refusal", failed).await;
    assert_eq!(seen(&mails).await.1, 0);
    handle.stop().await;
}

/// An owner that is away when the first stream is to be opened, and purges before the next one.
struct Overtaking(FeedClient, Arc<Owner>, AtomicBool);

impl std::fmt::Debug for Overtaking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Overtaking")
    }
}

#[async_trait]
impl FeedStub for Overtaking {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        _: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        if self.2.swap(false, Ordering::SeqCst) {
            purge_owner(&self.1).await;
            return Err(Status::unavailable("it starts").into());
        }
        self.0.subscribe(request).await
    }

    async fn head(&self, request: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        self.0.head(request).await
    }
}

/// The planted bug asks what is kept before its owner keeps anything for it, and builds the view of what is left by then.
#[tokio::test]
async fn a_first_view_is_refused_too_where_the_owner_purges_before_it_is_read() {
    let (owner, mails) = (Arc::new(Owner::open().await), Mails::open().await);
    owner.place_all(5, 4).await;
    let way = Overtaking(Way::sound(owner.feed()), Arc::clone(&owner), AtomicBool::new(true));
    let handle = counting(&mails, FeedClient::from_stub(way), mails.tally(1)).start();
    let ended = || async {
        let live = mails.count("SELECT coalesce(max(mark), 0) AS n FROM freehold_position").await == 20;
        let all = handle.status().await.unwrap();
        live || all.iter().any(|status| matches!(status.state, State::Failed(_)))
    };
    eventually("the refusal", ended).await;
    assert_eq!(seen(&mails).await.1, 0);
    handle.stop().await;
}

/// A key that waits only in the new view keeps it from being read; what waits in both does not.
#[tokio::test]
async fn a_view_that_lacks_a_key_is_not_read() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(5, 3).await;
        let tally = mails.tally(1);
        let handle = started(&mails, &owner, &tally).await;
        mails.fail(|key, _| if key == "k3" { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) });
        rebuild(&mails, &owner, &tally).await;
        let waits = || async {
            handle.status().await.unwrap().iter().any(|status| status.state == State::Waiting(1))
        };
        eventually("the key that waits", waits).await;
        assert_eq!(seen(&mails).await, (1, 15, 30));
        // The old one stumbles over the same key, but later: what it has of it would be missing.
        owner.emit(placed("k3", 4)).await;
        eventually("the same key in both", || async {
            handle.status().await.unwrap().iter().all(|status| status.dead_letters == 1)
        })
        .await;
        // Before it goes on to another event, the new one has tried once more.
        owner.emit(placed("k0", 4)).await;
        let position = "SELECT max(mark) AS n FROM freehold_position WHERE subscription LIKE '%/2'";
        eventually("the event behind it", || async { mails.count(position).await == 17 }).await;
        eventually("the one that is read", || async { seen(&mails).await == (1, 16, 34) }).await;
        mails.fail(|_, _| Ok(()));
        let letters = DeadLetters::new(mails.store.clone());
        for generation in [1, 2] {
            let of = format!("{VIEW}/{generation}");
            letters.redrive(&of, crate::fixture::ORDER, "k3", "a test").await.unwrap();
        }
        is_read(&mails, 2).await;
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(seen(&mails).await, (2, 17, 38));
        handle.stop().await;
    }
}

/// What the old view has given up as well does not hold the new one up.
#[tokio::test]
async fn a_key_that_waits_in_both_views_holds_nothing_up() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    mails.fail(|key, _| if key == "k3" { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) });
    owner.place_all(5, 3).await;
    let tally = mails.tally(1);
    let handle = started(&mails, &owner, &tally).await;
    rebuild(&mails, &owner, &tally).await;
    is_read(&mails, 2).await;
    assert_eq!(seen(&mails).await, (2, 12, 24));
    handle.stop().await;
}

/// What was left takes nothing in, whoever still tries.
#[tokio::test]
async fn a_generation_that_was_left_takes_nothing_in() {
    for database in engines::each().await {
        let mails = Mails::on(database).await;
        let owner = Owner::open().await;
        let tally = mails.tally(1);
        started(&mails, &owner, &tally).await.stop().await;
        let left = tally.subscription(1);
        purge(&mails, "UPDATE freehold_projection SET state = 'left'").await;
        let unit = async move |work: &mut Work| left.enter(work).await;
        let refused = mails.store.unit::<_, StoreError, _>(&Context::new("mails", SOON), unit).await;
        assert!(matches!(refused, Err(StoreError::Forbidden(_))), "{refused:?}");
    }
}
