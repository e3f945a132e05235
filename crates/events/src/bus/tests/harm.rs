//! Harm that only a bus in memory does on demand: a forgotten tail, swallowed acknowledgements, absence.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use freehold_wire::pb::subscribe_response::Item;

use super::suite::published;
use super::{Joined, way_through};
use crate::bus::Bus;
use crate::bus::memory::Memory;
use crate::fixture::{SOON, Way, eventually, placed};
use crate::link::Link;

/// E17: what comes after a forgotten tail shows that there was one; so does a beat where nothing comes.
#[tokio::test]
async fn a_forgotten_tail_is_read_from_the_owner() {
    let joined = Joined::<Memory>::open().await.unwrap();
    let handle = joined.start();
    joined.owner.place_all(2, 2).await;
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
    for last in [4, 6] {
        joined.owner.place_all_from(2, last - 1, last).await;
        published(&joined.owner, true).await;
        joined.harness.forget_tail(3);
        let handle = joined.start();
        handle.caught_up(SOON).await.unwrap();
        handle.stop().await;
    }
    assert!(joined.mails.is_once_in_order(2, 6).await, "{:?}", joined.mails.effects().await);
}

/// E11, E13: what the bus took and did not acknowledge is published again, and takes effect once.
#[tokio::test]
async fn swallowed_acknowledgements_double_letters_and_no_effects() {
    let joined = Joined::<Memory>::open().await.unwrap();
    let handle = joined.start();
    joined.owner.place_all(2, 2).await;
    joined.harness.swallow_acks(true);
    joined.owner.place_all_from(2, 3, 4).await;
    let doubled = async || {
        let ids = joined.harness.ids();
        ids.len() > ids.iter().collect::<BTreeSet<_>>().len()
    };
    eventually("a letter twice", doubled).await;
    joined.harness.swallow_acks(false);
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(2, 4).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// A broker that is away stops nobody: the owner's feed is read meanwhile, and the bus again when it is back.
#[tokio::test]
async fn while_the_bus_is_away_the_owners_feed_is_read() {
    let joined = Joined::<Memory>::open().await.unwrap();
    let handle = joined.start();
    joined.owner.place_all(2, 1).await;
    handle.caught_up(SOON).await.unwrap();
    joined.harness.away(true);
    joined.owner.place_all_from(2, 2, 4).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(2, 4).await, "{:?}", joined.mails.effects().await);
    joined.harness.away(false);
    joined.owner.place_all_from(2, 5, 6).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(2, 6).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// The bus is what is read: events arrive by it alone once the feed tells nothing more.
#[tokio::test]
async fn events_arrive_by_the_bus() {
    let joined = Joined::<Memory>::open().await.unwrap();
    let mute = Arc::new(AtomicBool::new(false));
    let muted = Arc::clone(&mute);
    let damage = move |item: &Item| match item {
        Item::Event(_) => usize::from(!muted.load(Ordering::SeqCst)),
        _ => 1,
    };
    let feed = Way::damaged(joined.owner.feed(), damage);
    let source = way_through(&joined.harness, feed);
    let mut arrivals = Link::new(source, "mails/views/orders", ["o.v1.Placed"]).open(None).await.unwrap();
    joined.owner.emit(placed("k0", 1)).await;
    // Until the bus is read, whatever the feed loses is lost: it is read once a letter has come this way.
    let mut came = 0;
    while came < 20 {
        came += arrivals.next(100).await.unwrap().events.len().max(1);
    }
    mute.store(true, Ordering::SeqCst);
    joined.owner.emit(placed("k0", 2)).await;
    loop {
        let events = arrivals.next(100).await.unwrap().events;
        if events.iter().any(|event| event.version == 2) {
            return;
        }
    }
}

/// E16: a bus that takes little gets the headers, and the data come from the owner.
#[tokio::test]
async fn data_that_the_bus_does_not_take_come_from_the_owner() {
    let joined = Joined::<Memory>::open().await.unwrap();
    joined.harness.limit(1);
    let handle = joined.start();
    joined.owner.place_all(3, 3).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(joined.mails.is_once_in_order(3, 3).await, "{:?}", joined.mails.effects().await);
    handle.stop().await;
}

/// What a bus is given is what anybody may read who has its credentials: neither private nor undeclared secrets.
#[tokio::test]
async fn no_private_field_is_on_the_bus() {
    let joined = Joined::<Memory>::open().await.unwrap();
    let order =
        crate::fixture::Order { id: "k".to_owned(), state: "new".to_owned(), secret: "hush".to_owned() };
    joined.owner.put(order).await;
    eventually("the relay", async || !joined.harness.ids().is_empty()).await;
    let holds = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"hush");
    assert!(joined.harness.packets().iter().all(|packet| !holds(&packet.body)));
    assert_eq!(joined.harness.name(), "memory");
}
