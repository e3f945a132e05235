//! What a reaction gets: an event, or a change of an entity, as the fields that its consumer declared.

use freehold_wire::View;
use freehold_wire::pb::{Envelope, Position};

use crate::reaction::ReactionError;

/// An event on delivery: the declared fields, and the headers of its envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered<V> {
    /// The declared fields.
    pub value: V,
    headers: Headers,
}

/// A change of an entity on delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed<V> {
    /// The declared fields as they stand now; `None` where the entity was deleted.
    pub value: Option<V>,
    headers: Headers,
}

#[derive(Debug, Clone, PartialEq)]
struct Headers {
    id: String,
    key: String,
    version: i64,
    time_ms: i64,
    cause: String,
    position: Position,
}

macro_rules! headers {
    ($delivery:ident) => {
        impl<V> $delivery<V> {
            /// The id of the event: unique per owner for ever.
            #[must_use]
            pub fn id(&self) -> &str {
                &self.headers.id
            }

            /// The key of the entity.
            #[must_use]
            pub fn key(&self) -> &str {
                &self.headers.key
            }

            /// The ordinal of the event in its key's stream, from 1.
            #[must_use]
            pub fn version(&self) -> i64 {
                self.headers.version
            }

            /// When the owner's unit of work ran, in milliseconds since 1970 by the owner's clock.
            #[must_use]
            pub fn time_ms(&self) -> i64 {
                self.headers.time_ms
            }

            /// The id of the event that the owner reacted to; empty where there was none.
            #[must_use]
            pub fn cause(&self) -> &str {
                &self.headers.cause
            }

            /// Where the event stands in its owner's feed.
            #[must_use]
            pub fn position(&self) -> &Position {
                &self.headers.position
            }
        }
    };
}

headers!(Delivered);
headers!(Changed);

impl<V: View> Delivered<V> {
    /// Reads an event; `None` for headers alone, whose data was erased or not asked for.
    pub(crate) fn read(envelope: &Envelope) -> Result<Option<Self>, ReactionError> {
        let value = envelope.data.as_deref().map(decode).transpose()?;
        Ok(value.map(|value| Self { value, headers: Headers::of(envelope) }))
    }
}

impl<V: View> Changed<V> {
    /// Reads a change; `None` for headers alone.
    pub(crate) fn read(envelope: &Envelope) -> Result<Option<Self>, ReactionError> {
        let value = envelope.data.as_deref().map(decode).transpose()?;
        let told = envelope.deleted || value.is_some();
        Ok(told.then(|| Self { value, headers: Headers::of(envelope) }))
    }
}

impl Headers {
    fn of(envelope: &Envelope) -> Self {
        let time = envelope.time.unwrap_or_default();
        Self {
            id: envelope.id.clone(),
            key: envelope.subject.clone(),
            version: envelope.version,
            time_ms: time.seconds.saturating_mul(1000).saturating_add(i64::from(time.nanos) / 1_000_000),
            cause: envelope.cause.clone(),
            position: envelope.position.unwrap_or_default(),
        }
    }
}

/// The one place where a consumer reads what its views are of: as it comes, from a parked key, or again.
fn decode<V: View>(data: &[u8]) -> Result<V, ReactionError> {
    V::read(data).map_err(|error| ReactionError::Refuse(format!("the data is no {}: {error}", V::OF)))
}
