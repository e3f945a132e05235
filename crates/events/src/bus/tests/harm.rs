//! Harm that only a bus in memory does on demand: a forgotten tail, swallowed acknowledgements, absence.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Messages};
use freehold_metrics::Scraped;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{HeadRequest, HeadResponse, SubscribeRequest, SubscribeResponse};
use tokio::time::timeout;

use super::suite::published;
use super::{Joined, relay, way_through};
use crate::bus::Bus;
use crate::bus::memory::Memory;
use crate::fixture::{Owner, SOON, Way, arrivals, eventually, placed};
use crate::link::{Arrivals, LinkError};

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

/// An owner's feed, wherever it is now.
#[derive(Debug)]
struct Moving(Arc<Mutex<FeedClient>>);

impl Moving {
    fn now(&self) -> FeedClient {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl FeedStub for Moving {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        _: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        self.now().subscribe(request).await
    }

    async fn head(&self, request: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        self.now().head(request).await
    }
}

/// A stream that has come over to the bus, and where its owner is looked for.
async fn on_the_bus(owner: &Owner, bus: &Memory) -> (Arc<Mutex<FeedClient>>, Arrivals) {
    let mute = Way::damaged(owner.feed(), |item| usize::from(!matches!(item, Item::Event(_))));
    let place = Arc::new(Mutex::new(mute));
    let source = way_through(bus, FeedClient::from_stub(Moving(Arc::clone(&place))));
    let mut arrivals = arrivals(source).await;
    // What arrives although the feed is mute came by the bus.
    let arrives = async {
        for version in 1.. {
            owner.emit(placed("k0", version)).await;
            if !arrivals.next(100).await.unwrap().events.is_empty() {
                return;
            }
        }
    };
    timeout(SOON, arrives).await.expect("nothing arrives by the bus");
    *place.lock().unwrap() = Way::sound(owner.feed());
    (place, arrivals)
}

/// Its epochs are told at the beginning of a stream, so that begins again: a subscription that went on would stand in an
/// epoch that it has not heard of, and take the owner for another one. Planted bug: to go on.
#[tokio::test]
async fn a_stream_begins_again_where_its_owner_came_back_while_the_bus_was_away() {
    let (owner, bus) = (Owner::open().await, Memory::new());
    let relay = relay(&bus, &owner).await.unwrap();
    let (place, mut arrivals) = on_the_bus(&owner, &bus).await;
    relay.stop().await;
    let owner = owner.restart().await;
    *place.lock().unwrap() = Way::sound(owner.feed());
    owner.emit(placed("k1", 1)).await;
    bus.away(true);
    let ended = loop {
        match arrivals.next(100).await {
            Ok(batch) => assert!(batch.events.iter().all(|event| event.subject != "k1"), "{batch:?}"),
            Err(error) => break error,
        }
    };
    // A bus that was silent for long has the owner asked that is gone: that ends it, too.
    assert!(!matches!(ended, LinkError::Silent(_)), "{ended}");
}

/// Planted bug: what the feed sends after the bus broke off is not counted.
#[tokio::test]
async fn what_the_bus_lacks_is_counted() {
    let refilled = || {
        let labels = [("subscription", "mails/views/orders"), ("owner", "orders")];
        let scraped = Scraped::read(&freehold_metrics::of("mails").scrape()).unwrap();
        scraped.value("freehold_subscription_refilled_total", &labels).unwrap_or_default()
    };
    let (owner, bus) = (Owner::open().await, Memory::new());
    let relay = relay(&bus, &owner).await.unwrap();
    let (_place, mut arrivals) = on_the_bus(&owner, &bus).await;
    let before = refilled();
    bus.away(true);
    owner.emit(placed("k1", 1)).await;
    while arrivals.next(100).await.unwrap().events.iter().all(|event| event.subject != "k1") {}
    assert!(refilled() > before);
    relay.stop().await;
}

/// The bus is what is read: events arrive by it although the feed tells of none. Planted bug: it is never opened.
#[tokio::test]
async fn events_arrive_by_the_bus() {
    let (owner, bus) = (Owner::open().await, Memory::new());
    let relay = relay(&bus, &owner).await.unwrap();
    on_the_bus(&owner, &bus).await;
    relay.stop().await;
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
