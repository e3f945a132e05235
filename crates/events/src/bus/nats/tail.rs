//! An owner's letters as a durable consumer of JetStream hands them to one subscription.
//!
//! What has taken effect is acknowledged up to the last beat before it: the consumer then begins there next time.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{self, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::{self, Message};
use async_trait::async_trait;
use futures_util::StreamExt;

use super::{away, refused};
use crate::bus::{BusError, Letter, Stray, Tail};

/// How long the server waits for an acknowledgement before it delivers again, which changes nothing here.
const ACK_WAIT: Duration = Duration::from_secs(300);
/// How long a consumer is kept that nobody reads: the owner's feed makes up for one that is gone.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The most letters, and bytes of them, that are on their way at once.
const MESSAGES: usize = 512;
/// How long a request for more stays open, and how often the server says meanwhile that it is there.
const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The letters of one subscription.
pub(super) struct NatsTail {
    owner: String,
    messages: Stream,
    /// Beats that are not acknowledged: their marks, and how to.
    beats: VecDeque<(i64, Acker)>,
}

/// Opens the durable consumer of that reader, which begins at what comes next if it is new.
pub(super) async fn open(
    context: &jetstream::Context,
    stream: String,
    owner: &str,
    reader: &str,
    subjects: Vec<String>,
) -> Result<NatsTail, BusError> {
    let config = pull::Config {
        durable_name: Some(name(reader)),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::All,
        ack_wait: ACK_WAIT,
        max_ack_pending: -1,
        inactive_threshold: KEPT,
        filter_subjects: subjects,
        ..pull::Config::default()
    };
    let consumer = context.create_consumer_on_stream(config, stream).await;
    let consumer = consumer.map_err(|error| refused("it makes no consumer", error))?;
    let requests = consumer.stream().max_messages_per_batch(MESSAGES).expires(EXPIRES).heartbeat(HEARTBEAT);
    let messages = requests.messages().await.map_err(away)?;
    Ok(NatsTail { owner: owner.to_owned(), messages, beats: VecDeque::new() })
}

/// "mails/views/orders" as the name of a consumer.
fn name(reader: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    reader.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

#[async_trait]
impl Tail for NatsTail {
    async fn next(&mut self) -> Result<Result<Letter, Stray>, BusError> {
        let ended = || BusError::Away("the consumer ended".to_owned(), None);
        let message = self.messages.next().await.ok_or_else(ended)?.map_err(away)?;
        let letter = letter(&self.owner, &message);
        if let Ok(Letter::Beat { position, .. }) = &letter {
            let (_, acker) = message.split();
            self.beats.push_back((position.mark, acker));
        }
        Ok(letter)
    }

    async fn settle(&mut self, mark: i64) -> Result<(), BusError> {
        let settled = self.beats.iter().take_while(|(beat, _)| *beat <= mark).count();
        let Some((_, acker)) = self.beats.drain(..settled).next_back() else { return Ok(()) };
        acker
            .ack()
            .await
            .map_err(|error| BusError::Away("an acknowledgement was not sent".to_owned(), Some(error)))
    }
}

fn letter(owner: &str, message: &Message) -> Result<Letter, Stray> {
    let header = |name: &'static str| {
        let value = message.headers.as_ref()?.get(name)?;
        Some(value.as_str().to_owned())
    };
    Letter::unpack(owner, header, message.payload.to_vec())
}
