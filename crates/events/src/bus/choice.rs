//! What a service was told to publish to and to read from: a bus, or the owners' feeds alone.

use std::sync::Arc;

use freehold_client::FeedClient;
use freehold_store::Store;
use freehold_wire::Contract;

use super::{Bus, BusError, Source, connect};
use crate::relay::{Handle, Relay};

/// A bus, or none. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Choice(Option<(Arc<dyn Bus>, &'static Contract)>);

impl Choice {
    /// The bus at a url; without one, the owners' feeds.
    ///
    /// # Errors
    /// [`BusError::Url`] for an address of no bus that this program was built with.
    pub async fn of(url: Option<&str>, contract: &'static Contract) -> Result<Self, BusError> {
        Ok(Self(connect(url).await?.map(|bus| (bus, contract))))
    }

    /// Begins to publish what the store's owner emits; nothing where there is no bus.
    ///
    /// # Errors
    /// [`BusError::Unsafe`].
    pub async fn relay(&self, store: &Store) -> Result<Handle, BusError> {
        match &self.0 {
            Some((bus, contract)) => Relay::new(store.clone(), contract, Arc::clone(bus)).start().await,
            None => Ok(Handle::idle()),
        }
    }

    /// An owner's feed as a consumer reads it.
    pub(crate) fn source(&self, feed: FeedClient, owner: &str, consumer: &str) -> FeedClient {
        let Some((bus, contract)) = &self.0 else { return feed };
        match Source::new(feed.clone(), Arc::clone(bus), contract, owner, consumer) {
            Some(source) => FeedClient::from_stub(source),
            None => feed,
        }
    }
}
