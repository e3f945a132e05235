//! The suite that every bus passes, and what only the bus in memory can be made to do.
//!
//! A bus is a [`Harness`] to the suite; the owner's feed alone is one too. Each test names the bug that it is against; two
//! run with theirs planted as well, and [`super::course`] plants three.

mod harm;
mod suite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use freehold_client::FeedClient;

use super::memory::Memory;
use super::{Bus, Packet, Source};
use crate::fixture::{CONTRACT, Mails, Owner, Way};
use crate::relay::{self, Faults, Relay};
use suite::bus_suite;

/// A way of events from an owner to a consumer, as the suite sees it.
#[async_trait]
pub(crate) trait Harness: Send + Sync + Sized {
    /// The way, with nothing on it yet; `None` where this run has no such engine.
    async fn open() -> Option<Self>;

    /// The bus; `None` where the owner's feed is the way.
    fn bus(&self) -> Option<Arc<dyn Bus>>;

    /// Forgets everything that was published.
    async fn wipe(&self);

    /// Puts a message of somebody else among the owner's.
    async fn strew(&self, packet: Packet);

    /// The ids of the events that a reader finds who knows nothing of us; `None` where only our readers can read.
    async fn ids(&self) -> Option<Vec<String>>;
}

/// The owner's feed alone.
pub(crate) struct Fed;

#[async_trait]
impl Harness for Fed {
    async fn open() -> Option<Self> {
        Some(Self)
    }

    fn bus(&self) -> Option<Arc<dyn Bus>> {
        None
    }

    async fn wipe(&self) {}

    async fn strew(&self, _: Packet) {}

    async fn ids(&self) -> Option<Vec<String>> {
        None
    }
}

#[async_trait]
impl Harness for Memory {
    async fn open() -> Option<Self> {
        Some(Self::new())
    }

    fn bus(&self) -> Option<Arc<dyn Bus>> {
        Some(Arc::new(self.clone()))
    }

    async fn wipe(&self) {
        Memory::wipe(self);
    }

    async fn strew(&self, packet: Packet) {
        Memory::strew(self, packet);
    }

    async fn ids(&self) -> Option<Vec<String>> {
        Some(Memory::ids(self))
    }
}

/// A relay of the owner; `None` where there is no bus.
pub(crate) async fn relay(harness: &impl Harness, owner: &Owner) -> Option<relay::Handle> {
    relay_with(harness, owner, Faults::default()).await
}

pub(crate) async fn relay_with(
    harness: &impl Harness,
    owner: &Owner,
    faults: Faults,
) -> Option<relay::Handle> {
    let options = relay::Options { batch: 4, beat: Duration::from_millis(50), mark: Duration::ZERO };
    let relay = Relay::new(owner.store.clone(), &CONTRACT, harness.bus()?).options(options).faults(faults);
    Some(relay.start().await.unwrap())
}

/// How a consumer reads the owner.
pub(crate) fn way(harness: &impl Harness, owner: &Owner) -> FeedClient {
    way_through(harness, Way::sound(owner.feed()))
}

/// The same where the owner's feed is this.
pub(crate) fn way_through(harness: &impl Harness, feed: FeedClient) -> FeedClient {
    match harness.bus() {
        Some(bus) => FeedClient::from_stub(Source::new(feed, bus, &CONTRACT, "orders", "mails").unwrap()),
        None => feed,
    }
}

/// An owner, a consumer that has begun, and what lies in between.
pub(crate) struct Joined<H> {
    pub(crate) harness: H,
    pub(crate) owner: Owner,
    pub(crate) mails: Mails,
    pub(crate) relay: Option<relay::Handle>,
}

impl<H: Harness> Joined<H> {
    pub(crate) async fn open() -> Option<Self> {
        let harness = H::open().await?;
        let (owner, mails) = (Owner::open().await, Mails::open().await);
        let relay = relay(&harness, &owner).await;
        Some(Self { harness, owner, mails, relay })
    }

    pub(crate) fn start(&self) -> crate::Handle {
        self.mails.start(way(&self.harness, &self.owner))
    }
}

bus_suite!(fed, super::Fed);
bus_suite!(memory, super::Memory);
#[cfg(feature = "nats")]
bus_suite!(nats, crate::bus::nats::harness::Server);
