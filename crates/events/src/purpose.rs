//! What a subscription is for: reacting to views, or keeping a copy. Either is fed by the same loop.
//!
//! The loop opens the stream, checks that the owner's history goes on, hands over batches and reconnects; a purpose says
//! from where to read and takes the batches in. **Invariant:** a purpose moves its position in the unit of work that
//! takes the batch in, and reports it only after the commit.

use async_trait::async_trait;
use freehold_store::StoreError;
use freehold_wire::Shares;
use freehold_wire::pb::{Epoch, Position};
use tokio::sync::watch;

use crate::link::{Batch, Link, LinkError};

/// What is done with what arrives.
#[async_trait]
pub trait Purpose: Send {
    /// Prepares for a stream and answers after which position it must begin; `None`: at the oldest kept event.
    ///
    /// # Errors
    /// [`Left`], and the loop comes back later.
    async fn resume(&mut self, link: &Link) -> Result<Option<Position>, Left>;

    /// The stream is open, and these are its owner's epochs.
    ///
    /// # Errors
    /// [`Left`]; [`LinkError::HistoryLost`] ends the subscription.
    async fn opened(&mut self, epochs: &[Epoch]) -> Result<(), Left>;

    /// Takes in a batch.
    ///
    /// # Errors
    /// [`Left`], and the stream is opened again.
    async fn take(&mut self, batch: Batch) -> Result<(), Left>;

    /// Whose keys the stream that was resumed is to bring.
    fn shares(&self) -> Shares {
        Shares::ALL
    }

    /// Returns when the stream is to be left, as it is to be resumed with other shares; cancelling loses nothing.
    async fn recalled(&mut self) {
        std::future::pending().await
    }

    /// Whether it begins anew by itself where its owner no longer keeps what it has not seen; it stands still otherwise.
    fn begins_anew(&self) -> bool {
        false
    }

    /// The stream was left.
    fn left(&mut self, left: &Left) {
        let _ = left;
    }
}

/// Why a stream is left.
#[derive(Debug, thiserror::Error)]
pub enum Left {
    /// The feed failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The own database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// To read again from another position, for this reason.
    #[error("{0}")]
    Again(&'static str),
}

impl Left {
    /// Whether the owner cannot be reached or is ending: nothing is wrong here, and it goes on when the owner is back.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Link(LinkError::Feed(error)) if error.is_unavailable())
    }
}

/// What a subscription is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has not reached its owner yet.
    Connecting,
    /// It takes events as they come.
    Live,
    /// Other instances of this consumer hold all of its shares.
    Standby,
    /// It copies what its owner has, before it goes on with what changes.
    Copying,
    /// A view is built anew from the oldest event on, beside the one that is read.
    Rebuilding,
    /// A view that was built anew is not read yet: so many of its keys wait that do not wait in the one that is read.
    Waiting(i64),
    /// A version is missing: its key waits, and what its owner keeps is fetched again.
    Gap,
    /// It lost its owner, for this reason, and tries again.
    Disconnected(String),
    /// The owner's history is another one than the one read so far. It has stopped rather than mix the two.
    HistoryLost(String),
    /// It could not begin, for this reason.
    Failed(String),
}

/// How a subscription has come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) state: State,
    pub(crate) position: Option<Position>,
}

/// How a purpose tells the others how far it has come. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Report {
    progress: watch::Sender<Progress>,
}

impl Report {
    pub(crate) fn new() -> (Self, watch::Receiver<Progress>) {
        let (progress, watched) = watch::channel(Progress { state: State::Connecting, position: None });
        (Self { progress }, watched)
    }

    /// Everything up to here has been committed.
    pub fn moved(&self, position: Position) {
        self.progress.send_modify(|progress| progress.position = Some(position));
    }

    /// What the subscription is doing now.
    pub fn state(&self, state: State) {
        self.progress.send_if_modified(|progress| {
            let news = progress.state != state;
            progress.state = state;
            news
        });
    }

    /// Whether it was said last that the subscription is doing this.
    pub(crate) fn is(&self, state: &State) -> bool {
        self.progress.borrow().state == *state
    }

    /// How far it has come.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.progress.borrow().position
    }
}
