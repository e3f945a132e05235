//! What every bus must do, whatever becomes of it: each case runs against the owner's feed, the bus in memory, and every
//! bus of this run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_store::{StoreError, Work, outbox};
use freehold_testkit::engines;
use freehold_wire::Shares;
use freehold_wire::pb::{Envelope, Position};

use super::{Harness, Joined, relay, relay_with, way, way_through};
use crate::State;
use crate::bus::{Letter, Packet, Published};
use crate::fixture::{
    CONTRACT, Mails, ORDER, Order, Owner, SOON, SUBSCRIPTION, Stock, Way, arrivals, context, eventually,
    placed,
};
use crate::link::Link;
use crate::relay::{Faults, Point, overtake, standings};

/// The suite as tests of one bus.
macro_rules! bus_suite {
    ($name:ident, $harness:ty) => {
        mod $name {
            super::bus_suite!(@tests $harness:
                every_event_takes_effect_once_and_in_order,
                what_was_not_declared_comes_as_headers_only,
                a_consumer_that_was_away_goes_on_where_it_stood,
                a_new_consumer_reads_what_was_published_before_it,
                a_relay_that_is_killed_at_any_step_loses_and_doubles_nothing,
                an_event_is_marked_only_when_the_bus_has_it,
                a_bus_that_forgets_everything_is_filled_up_by_the_owner,
                an_event_of_the_largest_size_arrives,
                what_is_no_letter_is_passed_over,
                letters_of_a_lost_history_are_passed_over,
                an_owner_that_starts_again_is_read_on,
                of_two_relays_the_one_that_was_overtaken_marks_nothing,
                instances_read_beside_each_other_each_its_own_keys,
                a_foreign_reader_finds_every_event_by_its_id);
        }
    };
    (@tests $harness:ty: $($test:ident),+) => {
        $(#[tokio::test]
        async fn $test() {
            $crate::bus::tests::suite::$test::<$harness>().await;
        })+
    };
}
pub(super) use bus_suite;

/// Against a `Course::event` that answers `Deliver` for what came before.
pub(super) async fn every_event_takes_effect_once_and_in_order<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    joined.owner.place_all(5, 4).await;
    let handle = joined.start();
    handle.caught_up(SOON).await.unwrap();
    joined.owner.place_all_from(5, 5, 12).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(5, 12).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// Against a `Grant::cut` that keeps the data.
pub(super) async fn what_was_not_declared_comes_as_headers_only<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    let mut arrivals = arrivals(way(&joined.harness, &joined.owner)).await;
    let mut events = Vec::new();
    for round in 1..=3 {
        joined.owner.emit(placed("k0", round)).await;
        joined
            .owner
            .put(Order { id: "k0".to_owned(), state: round.to_string(), secret: "s".to_owned() })
            .await;
        joined.owner.put(Stock { id: "s".to_owned(), units: round }).await;
        while events.len() < usize::try_from(round).unwrap() * 2 {
            events.extend(arrivals.next(100).await.unwrap().events);
        }
    }
    let versions: Vec<_> =
        events.iter().map(|event: &Envelope| (event.version, event.data.is_some())).collect();
    assert_eq!(versions, [(1, true), (2, false), (3, true), (4, false), (5, true), (6, false)]);
    assert!(events.iter().all(|event| event.entity == ORDER));
    let own = |event: &Envelope| event.tokens.iter().any(|token| token.mark == event.position.unwrap().mark);
    assert!(events.iter().all(own), "a reaction has seen its event");
    let text =
        |event: &Envelope| String::from_utf8_lossy(event.data.as_deref().unwrap_or_default()).into_owned();
    assert!(events.iter().all(|event| !text(event).contains("undeclared")));
}

/// E21. Against a `Reading::open` that begins at the head.
pub(super) async fn a_consumer_that_was_away_goes_on_where_it_stood<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    for round in 0..3 {
        joined.owner.place_all_from(3, round * 4 + 1, round * 4 + 4).await;
        let handle = joined.start();
        handle.caught_up(SOON).await.unwrap();
        handle.stop().await;
    }
    assert!(joined.mails.is_once_in_order(3, 12).await, "{:?}", joined.mails.effects().await);
}

/// Against a `Source` that reads the bus alone, which begins anywhere.
pub(super) async fn a_new_consumer_reads_what_was_published_before_it<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    joined.owner.place_all(2, 6).await;
    published(&joined.owner, joined.relay.is_some()).await;
    let handle = joined.start();
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(2, 6).await);
    handle.stop().await;
}

/// E8. Against an `Outgoing::new` that knows nothing of what was published before it.
pub(super) async fn a_relay_that_is_killed_at_any_step_loses_and_doubles_nothing<H: Harness>() {
    for point in [Point::BeforePublish, Point::AfterPublish, Point::AfterMark] {
        for nth in [1, 3] {
            let Some(harness) = H::open().await else { return };
            let (owner, mails) = (Owner::open().await, Mails::open().await);
            let hits = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&hits);
            let dies = move |at: Point| at == point && counted.fetch_add(1, Ordering::SeqCst) + 1 >= nth;
            let faults = Faults { dies: Some(Arc::new(dies)), ..Faults::default() };
            let killed = relay_with(&harness, &owner, faults).await;
            let handle = mails.start(way(&harness, &owner));
            owner.place_all(3, 6).await;
            if killed.is_some() {
                eventually("the kill", async || hits.load(Ordering::SeqCst) >= nth).await;
            }
            let _second = relay(&harness, &owner).await;
            owner.place_all_from(3, 7, 9).await;
            handle.caught_up(SOON).await.unwrap();
            assert!(mails.is_once_in_order(3, 9).await, "{point:?} {nth}: {:?}", mails.effects().await);
            published(&owner, killed.is_some()).await;
            if let Some(ids) = harness.ids().await {
                assert!(missing(&owner, &ids).await.is_empty(), "{point:?} {nth}");
            }
            handle.stop().await;
        }
    }
}

/// E11. Planted bug: `Faults::marks_first`, which this test runs as well.
pub(super) async fn an_event_is_marked_only_when_the_bus_has_it<H: Harness>() {
    for marks_first in [false, true] {
        let Some(harness) = H::open().await else { return };
        if harness.ids().await.is_none() {
            return;
        }
        let owner = Owner::open().await;
        owner.place_all(2, 4).await;
        let once = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&once);
        // It dies between its two halves: whichever comes first has happened then.
        let between = if marks_first { Point::AfterMark } else { Point::AfterPublish };
        let dies = move |at: Point| at == between && counted.fetch_add(1, Ordering::SeqCst) == 0;
        let faults = Faults { dies: Some(Arc::new(dies)), marks_first, ..Faults::default() };
        let killed = relay_with(&harness, &owner, faults).await;
        eventually("the kill", async || once.load(Ordering::SeqCst) > 0).await;
        drop(killed);
        let second = relay(&harness, &owner).await;
        published(&owner, second.is_some()).await;
        let missing = missing(&owner, &harness.ids().await.unwrap_or_default()).await;
        assert_eq!(missing.is_empty(), !marks_first, "{missing:?}");
    }
}

/// E17. Against a `Course::event` that does not look at what was published before.
pub(super) async fn a_bus_that_forgets_everything_is_filled_up_by_the_owner<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    let handle = joined.start();
    joined.owner.place_all(4, 3).await;
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    joined.owner.place_all_from(4, 4, 6).await;
    published(&joined.owner, joined.relay.is_some()).await;
    joined.harness.wipe().await;
    let handle = joined.start();
    joined.owner.place_all_from(4, 7, 8).await;
    joined.harness.wipe().await;
    joined.owner.place_all_from(4, 9, 10).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(4, 10).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// E16. Against an `Outgoing` that does not look at the size, under which the relay never gets on.
pub(super) async fn an_event_of_the_largest_size_arrives<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    let handle = joined.start();
    for (key, bytes) in [("k0", 10), ("k1", outbox::MAX_DATA - 40), ("k2", outbox::MAX_DATA - 20), ("k3", 10)]
    {
        let state = "x".repeat(bytes);
        joined.owner.put(Order { id: key.to_owned(), state, secret: String::new() }).await;
    }
    let larger = Order { id: "k4".to_owned(), state: "x".repeat(outbox::MAX_DATA), secret: String::new() };
    let unit = async move |work: &mut Work| work.put(&larger).await;
    let refused = joined.owner.store.unit::<_, StoreError, _>(&context(), unit).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "it is refused at the commit");
    published(&joined.owner, joined.relay.is_some()).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(4, 1).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// Against a `Reading::take` that ends the stream with a stray.
pub(super) async fn what_is_no_letter_is_passed_over<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    let handle = joined.start();
    for version in 1..=6 {
        for stray in strays(version) {
            joined.harness.strew(stray).await;
        }
        joined.owner.place_all_from(2, version, version).await;
    }
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(2, 6).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// Messages that no relay has written.
fn strays(round: i64) -> [Packet; 4] {
    let event = Envelope::default()
        .with_id(format!("stray-{round}"))
        .with_source("catalog")
        .with_type("o.v1.Placed")
        .with_entity(ORDER)
        .with_subject("k0")
        .with_version(99)
        .with_position(Position::default().with_epoch(7).with_mark(99))
        .with_data(vec![0xff; 9]);
    let letter = |event: Envelope| {
        Letter::Event { event: event.into(), before: Published::default(), withheld: false }.pack()
    };
    let other_owner = letter(event.clone());
    let other_history = letter(event.clone().with_source("orders").with_id(format!("lost-{round}")));
    let mut broken = letter(event.with_source("orders").with_id(format!("broken-{round}")));
    broken.headers.retain(|(name, _)| *name != "ce-version");
    let (headers, body) = (Vec::new(), b"hello".to_vec());
    let bare = Packet { id: format!("bare-{round}"), route: broken.route.clone(), headers, body };
    [other_owner, other_history, broken, bare]
}

/// R6 on a bus. Against a `Reading::is_ours` that says so of every letter.
pub(super) async fn letters_of_a_lost_history_are_passed_over<H: Harness>() {
    if engines::is_about_postgres() {
        return; // A backup is a copy of files here.
    }
    let Some(harness) = H::open().await else { return };
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 2).await;
    let handle = mails.start(way(&harness, &owner));
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    let restored = owner.backup().await;
    let lost = relay(&harness, &owner).await;
    owner.place_all_from(2, 3, 6).await;
    published(&owner, lost.is_some()).await;
    if let Some(lost) = lost {
        lost.stop().await;
    }
    let _relay = relay(&harness, &restored).await;
    let handle = mails.start(way(&harness, &restored));
    restored.place_all_from(2, 3, 4).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 4).await, "{:?}", mails.effects().await);
    assert!(!matches!(handle.status().await.unwrap()[0].state, State::HistoryLost(_)));
    handle.stop().await;
}

/// Against a `Reading::is_ours` that takes a new epoch for a strange one.
pub(super) async fn an_owner_that_starts_again_is_read_on<H: Harness>() {
    let Some(Joined { harness, owner, mails, relay: first }) = Joined::<H>::open().await else { return };
    let handle = mails.start(way(&harness, &owner));
    owner.place_all(2, 3).await;
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    if let Some(first) = first {
        first.stop().await;
    }
    let owner = owner.restart().await;
    let _second = relay(&harness, &owner).await;
    let handle = mails.start(way_through(&harness, Way::sound(owner.feed())));
    owner.place_all_from(2, 4, 6).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(2, 6).await);
    handle.stop().await;
}

/// E9. Planted bug: `Faults::unfenced`, which this test runs as well.
pub(super) async fn of_two_relays_the_one_that_was_overtaken_marks_nothing<H: Harness>() {
    for unfenced in [false, true] {
        let Some(harness) = H::open().await else { return };
        let Some(bus) = harness.bus() else { return };
        let owner = Owner::open().await;
        // The first is stopped between its acknowledgement and its mark, until the second has taken over.
        let (stopped, goes_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (tells, waits) = (Arc::clone(&stopped), Arc::clone(&goes_on));
        let stands_still = move |at: Point| {
            if at == Point::AfterPublish {
                tells.store(1, Ordering::SeqCst);
                tokio::task::block_in_place(|| {
                    while waits.load(Ordering::SeqCst) == 0 {
                        std::thread::yield_now();
                    }
                });
            }
            false
        };
        let faults = Faults { dies: Some(Arc::new(stands_still)), unfenced, ..Faults::default() };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = crate::relay::Options { mark: std::time::Duration::ZERO, ..Default::default() };
        let first = crate::Relay::new(owner.store.clone(), &CONTRACT, Arc::clone(&bus)).options(options);
        let begun = runtime.spawn(first.faults(faults).start());
        let _first = begun.await.unwrap().unwrap();
        eventually("the first to begin", async || standing(&owner).await.0 > 0).await;
        owner.place_all(1, 1).await;
        eventually("the first to stand still", async || stopped.load(Ordering::SeqCst) > 0).await;
        let (_, mark) = standing(&owner).await;
        let second = overtake(&owner.store, bus.name()).await;
        goes_on.store(1, Ordering::SeqCst);
        eventually("a mark", async || standing(&owner).await.1 > mark).await;
        let marked_under = standing(&owner).await.0;
        assert_eq!(marked_under > second, !unfenced, "the first took over again before it marked");
        runtime.shutdown_background();
    }
}

/// The fence of the relay, and the mark that it has come to.
async fn standing(owner: &Owner) -> (i64, i64) {
    let mut read = owner.store.read().await.unwrap();
    let standings = standings(&owner.store, &mut read).await.unwrap();
    standings.first().map_or((0, 0), |standing| (standing.fence, standing.position.unwrap().mark))
}

/// Against one reader on the bus for all instances, which then gets a part of the letters.
pub(super) async fn instances_read_beside_each_other_each_its_own_keys<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    let (even, odd) = (0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa);
    let mut instances = Vec::new();
    for shares in [even, odd] {
        let source = way(&joined.harness, &joined.owner);
        let link = Link::new(source, SUBSCRIPTION, ["o.v1.Placed"]);
        let arrivals = link.open_for(None, Shares::of_bits(shares)).await.unwrap().patient();
        instances.push((arrivals, 0, BTreeSet::new()));
    }
    for version in 1..=4 {
        joined.owner.place_all_from(20, version, version).await;
        let head = joined.owner.store.head().mark();
        for (arrivals, position, seen) in &mut instances {
            while *position < head {
                let batch = arrivals.next(100).await.unwrap();
                *position = batch.position.mark;
                seen.extend(batch.events.into_iter().map(|event| (event.subject, event.version)));
            }
        }
    }
    let (one, other) = (&instances[0].2, &instances[1].2);
    assert!(one.is_disjoint(other) && !one.is_empty() && !other.is_empty());
    assert_eq!(one.len() + other.len(), 80);
}

/// Whoever knows CloudEvents reads along. Against a `Letter::pack` that leaves out the id.
pub(super) async fn a_foreign_reader_finds_every_event_by_its_id<H: Harness>() {
    let Some(joined) = Joined::<H>::open().await else { return };
    joined.owner.place_all(3, 3).await;
    published(&joined.owner, joined.relay.is_some()).await;
    if let Some(ids) = joined.harness.ids().await {
        assert!(missing(&joined.owner, &ids).await.is_empty(), "{ids:?}");
    }
}

/// Waits until the relay has marked everything.
pub(super) async fn published(owner: &Owner, relayed: bool) {
    if relayed {
        let head = owner.store.head().mark();
        eventually("the relay", async || standing(owner).await.1 >= head).await;
    }
}

/// The events of the outbox that a reader does not find.
async fn missing(owner: &Owner, ids: &[String]) -> Vec<String> {
    let mut read = owner.store.read().await.unwrap();
    let events = outbox::after(&owner.store, &mut read, 0, 1000).await.unwrap();
    events.into_iter().map(|event| event.id).filter(|id| !ids.contains(id)).collect()
}
