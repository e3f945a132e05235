//! An owner as its consumers know it: events with marks, of which it keeps the newest, and a head.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub};
use freehold_testkit::checker::Told;
use freehold_wire::pb::{Envelope, Epoch, HeadRequest, HeadResponse, Position};
use prost::Message;

use crate::fixture::{ORDER, placed};

/// The only epoch there is.
const EPOCH: u64 = 7;

/// What an owner has committed.
#[derive(Debug, Default)]
pub(super) struct History {
    /// All of it; the first has mark 1.
    pub(super) events: Vec<Envelope>,
    /// Up to here nothing is kept.
    pub(super) purged_to: i64,
    versions: BTreeMap<String, i64>,
}

impl History {
    /// Commits the next event of a key; `told` to the subscription with its data, or as headers alone.
    pub(super) fn commit(&mut self, key: &str, told: bool) -> i64 {
        let version = self.versions.entry(key.to_owned()).or_default();
        *version += 1;
        let mark = i64::try_from(self.events.len()).unwrap() + 1;
        let mut event = Envelope::default()
            .with_id(format!("orders-{mark}"))
            .with_source("orders")
            .with_type(if told { "o.v1.Placed" } else { "o.v1.Noted" })
            .with_subject(key)
            .with_entity(ORDER)
            .with_version(*version)
            .with_position(position(mark));
        event.data = told.then(|| placed(key, *version).encode_to_vec());
        self.events.push(event);
        *version
    }

    /// The mark of the last event.
    pub(super) fn head(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap()
    }

    /// The kept events after a mark, at most so many.
    pub(super) fn after(&self, mark: i64, most: usize) -> Vec<Envelope> {
        let skipped = usize::try_from(mark.max(self.purged_to)).unwrap();
        self.events.iter().skip(skipped).take(most).cloned().collect()
    }

    /// All of it as the checker reads it.
    pub(super) fn told(&self) -> Vec<Told> {
        let told = |event: &Envelope| Told {
            mark: event.position.as_ref().map_or(0, |position| position.mark),
            id: event.id.clone(),
            stream: (event.entity.clone(), event.subject.clone()),
            version: event.version,
            kind: event.r#type.clone(),
            deleted: false,
            data: event.data.clone(),
        };
        self.events.iter().map(told).collect()
    }
}

/// A position in that history.
pub(super) fn position(mark: i64) -> Position {
    Position::default().with_epoch(EPOCH).with_mark(mark)
}

/// Its epochs.
pub(super) fn epochs() -> Vec<Epoch> {
    vec![Epoch::default().with_id(EPOCH).with_first(1)]
}

/// The owner's feed, of which a simulation asks the head alone.
#[derive(Debug)]
struct Head(Arc<Mutex<History>>);

/// A feed that answers where its head is.
pub(super) fn feed(history: Arc<Mutex<History>>) -> FeedClient {
    FeedClient::from_stub(Head(history))
}

#[async_trait]
impl FeedStub for Head {
    async fn head(&self, _: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        let head = self.0.lock().unwrap_or_else(PoisonError::into_inner).head();
        Ok(HeadResponse::default().with_position(position(head)).with_epochs(epochs()))
    }
}
