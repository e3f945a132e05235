//! What the generator implements for messages that the contract gives a meaning: entities, events, views.
//!
//! A contract changes, and what was emitted does not. **Invariant:** whatever is read as a view has today's shape.

use prost::{DecodeError, Message};

/// A message with a key, owned by one service.
pub trait Entity: Message + Default + Clone + Send + 'static {
    /// The full name: "catalog.v1.Product".
    const NAME: &'static str;
    /// The owner: "catalog".
    const OWNER: &'static str;

    /// The key.
    fn key(&self) -> &str;

    /// The message without its private fields: what may leave the owner.
    #[must_use]
    fn shared(&self) -> Self;
}

/// An immutable fact about an entity of the same owner.
pub trait Event: Message + Default + Clone + Send + 'static {
    /// The full name: "catalog.v1.PriceChanged".
    const NAME: &'static str;
    /// The entity whose stream it belongs to, by full name.
    const ENTITY: &'static str;
    /// The owner.
    const OWNER: &'static str;

    /// The entity's key.
    fn key(&self) -> &str;

    /// The message without its private fields: what may leave the owner.
    #[must_use]
    fn shared(&self) -> Self;
}

/// The fields that one consumer reads of an event, or of an entity's changes.
pub trait View: Message + Default + Clone + Send + 'static {
    /// The event or entity that is read, by full name.
    const OF: &'static str;
    /// The entity whose stream it belongs to, by full name.
    const ENTITY: &'static str;
    /// Its owner.
    const OWNER: &'static str;
    /// The consumer that declared it.
    const CONSUMER: &'static str;

    /// Makes today's shape of an older one: a field that did not exist yet is filled from those that did. It is asked
    /// about everything that is read; what has today's shape comes out as it is.
    #[must_use]
    fn upcast(self) -> Self {
        self
    }

    /// Reads what was emitted, in whatever shape, by whatever way it came.
    ///
    /// # Errors
    /// It is no such message.
    fn read(data: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(data).map(Self::upcast)
    }
}
