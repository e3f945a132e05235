//! NATS JetStream as a bus: a stream per owner, a durable consumer per subscription, CloudEvents in the headers.
//!
//! Subjects are `<prefix>.<owner>.events.<entity>.<type>`, with dashes for the dots of names, and `<prefix>.<owner>.beat`,
//! of which the stream keeps the last. `settings` is what of the server and the stream is looked at. **Invariant:** what is
//! answered as published has been acknowledged by the stream, each letter of it.

#[cfg(test)]
pub(crate) mod harness;
mod monitor;
mod settings;
mod tail;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::jetstream::{self, ErrorCode, stream};
use async_nats::{Client, ConnectOptions, HeaderMap, connection};
use async_trait::async_trait;
use futures_util::future::try_join_all;

use super::{Bus, BusError, Packet, Prepared, Tail};
use settings::{HEADERS, Verdict};

/// From so many on, letters are published as one batch, which the server writes through once: each by itself is quicker
/// for a few.
const BATCH: usize = 16;
/// The most messages of one batch, as the server has it.
const LARGEST_BATCH: usize = 1000;
/// How long an acknowledgement may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first word of subjects and stream names where the url names none.
const PREFIX: &str = "freehold";

/// A NATS server or cluster with JetStream. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Nats {
    context: jetstream::Context,
    prefix: String,
    monitor: Option<String>,
}

/// Whether the url is one of NATS.
pub(crate) fn knows(url: &str) -> bool {
    url.starts_with("nats://") || url.starts_with("tls://")
}

/// What a url says.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    servers: Vec<String>,
    prefix: String,
    monitor: Option<String>,
}

impl Nats {
    /// The server at `nats://user:password@host:port/prefix?monitor=host:port`, or several hosts with commas between them.
    /// It is connected in the background, and again whenever it was away.
    ///
    /// # Errors
    /// [`BusError::Url`].
    pub async fn connect(url: &str) -> Result<Self, BusError> {
        let Address { servers, prefix, monitor } = address(url)?;
        let options = ConnectOptions::new()
            .name(&prefix)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE));
        // Its errors may repeat the address, with the password in it.
        let bad = |_| BusError::Url("the address of NATS cannot be read".to_owned());
        let client = options.connect(servers).await.map_err(bad)?;
        let context = ContextBuilder::new().ack_timeout(PATIENCE).build(client);
        Ok(Self { context, prefix, monitor })
    }

    fn client(&self) -> Client {
        self.context.client()
    }

    fn stream(&self, owner: &str) -> String {
        format!("{}-{owner}", self.prefix)
    }

    fn beat(&self, owner: &str) -> String {
        format!("{}.{owner}.beat", self.prefix)
    }

    fn events_of(&self, owner: &str, entity: &str) -> String {
        format!("{}.{owner}.events.{}", self.prefix, token(entity))
    }

    fn subject(&self, owner: &str, packet: &Packet) -> String {
        match &packet.route {
            Some((entity, kind)) => format!("{}.{}", self.events_of(owner, entity), token(kind)),
            None => self.beat(owner),
        }
    }

    /// The stream's settings; it is made where it is missing.
    async fn settings(&self, owner: &str, clustered: bool) -> Result<stream::Config, BusError> {
        match self.context.get_stream(self.stream(owner)).await {
            Ok(found) => Ok(found.cached_info().config.clone()),
            Err(error) if is_missing(&error.kind()) => {
                let subjects = vec![format!("{}.{owner}.events.>", self.prefix), self.beat(owner)];
                let wanted = settings::wanted(self.stream(owner), subjects, clustered);
                let made = self.context.create_stream(wanted).await;
                Ok(made.map_err(|error| refused("it makes no stream", error))?.cached_info().config.clone())
            }
            Err(error) => Err(away(error)),
        }
    }

    /// Publishes each letter by itself, all on their way at once.
    async fn publish_each(&self, owner: &str, packets: &[Packet]) -> Result<(), BusError> {
        let mut acknowledgements = Vec::with_capacity(packets.len());
        for packet in packets {
            let subject = self.subject(owner, packet);
            let sent =
                self.context.publish_with_headers(subject, headers(packet), packet.body.clone().into()).await;
            acknowledgements.push(sent.map_err(away)?.into_future());
        }
        try_join_all(acknowledgements).await.map(drop).map_err(away)
    }

    /// Publishes all letters or none, in one write; `false` where the server did not take them so, as it does not where it
    /// has one of them already.
    async fn publish_at_once(&self, owner: &str, packets: &[Packet]) -> Result<bool, BusError> {
        let (client, batch) = (self.client(), format!("{:016x}", fastrand::u64(..)));
        let mut reply = None;
        for (index, packet) in packets.iter().enumerate() {
            let mut headers = headers(packet);
            headers.insert("Nats-Batch-Id", batch.as_str());
            headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
            let (subject, body) = (self.subject(owner, packet), packet.body.clone().into());
            if index + 1 == packets.len() {
                headers.insert("Nats-Batch-Commit", "1");
                reply = Some(client.request_with_headers(subject, headers, body).await.map_err(away)?);
            } else {
                client.publish_with_headers(subject, headers, body).await.map_err(away)?;
            }
        }
        Ok(reply.is_some_and(|reply| is_acknowledged(&reply.payload, packets.len())))
    }
}

#[async_trait]
impl Bus for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    async fn prepare(&self, owner: &str) -> Result<Prepared, BusError> {
        let client = self.client();
        if client.connection_state() != connection::State::Connected {
            return Err(BusError::Away("it is not connected".to_owned(), None));
        }
        let server = client.server_info();
        let mut verdict = Verdict::default();
        settings::of_server(&server, &mut verdict)?;
        let stream = self.settings(owner, server.cluster.is_some()).await?;
        settings::of_stream(&stream, server.cluster.is_some(), &mut verdict)?;
        if server.cluster.is_none() {
            monitor::syncs(self.monitor.as_deref(), &mut verdict).await?;
        }
        let most = [server.max_payload, usize::try_from(stream.max_message_size).unwrap_or(0)];
        let most = most.into_iter().filter(|most| *most > 0).min().unwrap_or(usize::MAX);
        Ok(Prepared { largest: most.saturating_sub(HEADERS), warnings: verdict.warnings })
    }

    async fn publish(&self, owner: &str, packets: Vec<Packet>) -> Result<(), BusError> {
        for part in packets.chunks(LARGEST_BATCH) {
            if part.len() < BATCH || !self.publish_at_once(owner, part).await? {
                self.publish_each(owner, part).await?;
            }
        }
        Ok(())
    }

    async fn open(
        &self,
        owner: &str,
        reader: &str,
        entities: &BTreeSet<&'static str>,
    ) -> Result<Box<dyn Tail>, BusError> {
        let events = entities.iter().map(|entity| format!("{}.>", self.events_of(owner, entity)));
        let subjects = events.chain([self.beat(owner)]).collect();
        let tail = tail::open(&self.context, self.stream(owner), owner, reader, subjects).await?;
        Ok(Box::new(tail))
    }
}

fn headers(packet: &Packet) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &packet.headers {
        headers.insert(*name, value.as_str());
    }
    if packet.route.is_some() {
        headers.insert("Nats-Msg-Id", packet.id.as_str());
    } else {
        headers.insert("Nats-Rollup", "sub");
    }
    headers
}

/// Whether the server says that it has stored so many.
fn is_acknowledged(reply: &[u8], count: usize) -> bool {
    let Ok(reply) = serde_json::from_slice::<serde_json::Value>(reply) else { return false };
    reply.get("error").is_none()
        && reply.get("count").and_then(serde_json::Value::as_u64) == Some(count as u64)
}

/// A name with dots as one word of a subject.
fn token(name: &str) -> String {
    name.replace('.', "-")
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn away(error: impl StdError + Send + Sync + 'static) -> BusError {
    BusError::Away("NATS did not answer as it should".to_owned(), Some(Box::new(error)))
}

fn refused(what: &str, error: impl StdError + Send + Sync + 'static) -> BusError {
    BusError::Refused(what.to_owned(), Some(Box::new(error)))
}

fn address(url: &str) -> Result<Address, BusError> {
    let bad = |problem: &str| BusError::Url(format!("the address of NATS {problem}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("has no scheme"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if hosts.is_empty() || !is_name(path) {
        return Err(bad("is not like nats://host:port/prefix, with a prefix of letters, digits, - and _"));
    }
    let mut monitor = None;
    for (name, value) in
        query.split('&').filter(|part| !part.is_empty()).filter_map(|part| part.split_once('='))
    {
        match name {
            "monitor" => monitor = Some(value.to_owned()),
            _ => return Err(bad("has a setting other than `monitor`")),
        }
    }
    let prefix = if path.is_empty() { PREFIX } else { path }.to_owned();
    let servers = hosts.split(',').map(|host| format!("{scheme}://{host}")).collect();
    Ok(Address { servers, prefix, monitor })
}
