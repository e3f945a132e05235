//! The bus seam: what a relay wants of a bus, and what a subscription wants of it. An adapter is a file beside this one.
//!
//! `letter` is what travels, `course` decides from where a subscription reads next, `reading` does so, `source` is the feed
//! that a subscription takes it for. **Invariant:** a bus is trusted for nothing: what it loses, doubles or reorders shows by the letters, and
//! the owner's feed makes up for it. Positions are the owner's.

mod choice;
mod course;
mod header;
mod letter;
#[cfg(test)]
pub(crate) mod memory;
#[cfg(feature = "nats")]
pub mod nats;
mod reading;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub use choice::Choice;
pub use letter::{Letter, Packet, Published, Stray};
pub use source::Source;

/// A bus, as a mesh uses it.
#[async_trait]
pub trait Bus: Debug + Send + Sync + 'static {
    /// What it is called in the names of subscriptions: "nats".
    fn name(&self) -> &'static str;

    /// Makes what an owner's letters need, and looks at its settings.
    ///
    /// # Errors
    /// [`BusError::Unsafe`] for a setting under which acknowledged letters are lost; [`BusError::Away`].
    async fn prepare(&self, owner: &str) -> Result<Prepared, BusError>;

    /// Publishes in order; answers when the bus has all of them durably. On an error some may be published all the same.
    ///
    /// # Errors
    /// [`BusError::Away`], or [`BusError::Refused`].
    async fn publish(&self, owner: &str, packets: Vec<Packet>) -> Result<(), BusError>;

    /// Opens an owner's letters for a reader: beats, and the events of these entities. It begins where the reader has
    /// settled last, or anywhere else.
    ///
    /// # Errors
    /// [`BusError`].
    async fn open(
        &self,
        owner: &str,
        reader: &str,
        entities: &BTreeSet<&'static str>,
    ) -> Result<Box<dyn Tail>, BusError>;
}

/// An owner's letters as they come to one reader.
#[async_trait]
pub trait Tail: Send {
    /// The next letter, or what is none. Cancelling loses nothing that the next letters do not show.
    ///
    /// # Errors
    /// [`BusError`]; it is opened again then.
    async fn next(&mut self) -> Result<Result<Letter, Stray>, BusError>;

    /// Everything up to the mark has taken effect: the bus need not keep it for this reader.
    ///
    /// # Errors
    /// [`BusError`]; the next one makes up for it.
    async fn settle(&mut self, mark: i64) -> Result<(), BusError>;
}

/// A bus that is ready for an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The most bytes of data that a letter may have: what has more goes without, and is read from the owner.
    pub largest: usize,
    /// Settings that may lose letters, which their owners' feeds then make up for.
    pub warnings: Vec<Finding>,
}

/// A setting of a bus that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {found}: {problem}")]
pub struct Finding {
    /// As the bus names it.
    pub setting: &'static str,
    /// What it is set to.
    pub found: String,
    /// What follows, and what would be better.
    pub problem: &'static str,
}

/// Why a bus did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The address is none that is known.
    #[error("failed to find the bus: {0}")]
    Url(String),
    /// It cannot be reached, or it ended in the middle.
    #[error("the bus is away: {0}")]
    Away(String, #[source] Option<Box<dyn StdError + Send + Sync>>),
    /// It did not take a letter.
    #[error("the bus refused: {0}")]
    Refused(String, #[source] Option<Box<dyn StdError + Send + Sync>>),
    /// It is set up so that acknowledged letters are lost, or so that its relay would stop.
    #[error("the bus is not safe")]
    Unsafe(#[source] Finding),
}

/// The bus at a url, `None` where none is named.
///
/// # Errors
/// [`BusError::Url`] for an address of no bus that this program was built with.
pub async fn connect(url: Option<&str>) -> Result<Option<Arc<dyn Bus>>, BusError> {
    let Some(url) = url else { return Ok(None) };
    #[cfg(feature = "nats")]
    if nats::knows(url) {
        return Ok(Some(Arc::new(nats::Nats::connect(url).await?)));
    }
    let scheme = url.split("://").next().unwrap_or_default();
    let built =
        if cfg!(feature = "nats") { "nats:// and tls://" } else { "none: build with the feature `nats`" };
    Err(BusError::Url(format!("`{scheme}` is no bus; this program knows {built}")))
}
