//! A real NATS server to the suite of the buses, where this run has one: `cargo xtask test --engines` starts it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_trait::async_trait;
use futures_util::StreamExt;

use super::{Nats, headers};
use crate::bus::tests::Harness;
use crate::bus::{Bus, Packet};

/// Where the NATS of this run is.
pub(crate) const URL: &str = "FREEHOLD_TEST_NATS_URL";

/// The server, under a prefix of its own.
pub(crate) struct Server {
    pub(crate) nats: Nats,
}

/// The server's address with a prefix of its own; `None` where this run has no server.
pub(crate) fn url() -> Option<String> {
    let server = std::env::var(URL).ok()?;
    Some(format!("{server}/test-{:016x}", fastrand::u64(..)))
}

#[async_trait]
impl Harness for Server {
    async fn open() -> Option<Self> {
        let nats = Nats::connect(&url()?).await.unwrap();
        let client = nats.client();
        let connected = async { while client.flush().await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(60), connected).await.unwrap();
        Some(Self { nats })
    }

    fn bus(&self) -> Option<Arc<dyn Bus>> {
        Some(Arc::new(self.nats.clone()))
    }

    async fn wipe(&self) {
        // It may be gone already.
        let _ = self.nats.context.delete_stream(self.nats.stream("orders")).await;
    }

    async fn strew(&self, packet: Packet) {
        let subject = self.nats.subject("orders", &packet);
        let client = self.nats.client();
        client.publish_with_headers(subject, headers(&packet), packet.body.into()).await.unwrap();
    }

    /// By a plain consumer, which knows nothing but CloudEvents.
    async fn ids(&self) -> Option<Vec<String>> {
        let subject = format!("{}.orders.events.>", self.nats.prefix);
        let config = pull::Config {
            deliver_policy: DeliverPolicy::All,
            filter_subject: subject,
            ..Default::default()
        };
        let stream = self.nats.context.get_stream(self.nats.stream("orders")).await.ok()?;
        let consumer = stream.create_consumer(config).await.unwrap();
        let mut batch =
            consumer.fetch().max_messages(10_000).expires(Duration::from_secs(60)).messages().await.unwrap();
        let mut ids = Vec::new();
        while let Some(message) = batch.next().await {
            let message = message.unwrap();
            let headers = message.headers.clone().unwrap();
            assert_eq!(headers.get("ce-specversion").unwrap().as_str(), "1.0");
            ids.push(headers.get("ce-id").unwrap().as_str().to_owned());
        }
        Some(ids)
    }
}
