//! Asking for a rebuild: what a service's own RPC does behind its key.
//!
//! It is refused up front where the owner no longer keeps every event: a view that was built from the rest would lack
//! what is gone, and the one that is read has it.

use freehold_client::{Error, FeedClient, Mesh};
use freehold_store::{StoreError, Work};
use freehold_wire::pb::HeadRequest;
use freehold_wire::{Context, Reason};
use tonic::Status;

use super::{Projection, generations};

/// The reason of a rebuild whose events are no longer kept.
pub const HISTORY_PURGED: &str = "HISTORY_PURGED";

/// Rebuilds of one projection. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Rebuilds {
    projection: Projection,
    feed: FeedClient,
}

/// Why a view cannot be built anew. The one that is read is untouched.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RebuildError {
    /// The owner has purged events.
    #[error(
        "the events of `{owner}` up to position {mark} are no longer kept, and a view built from the rest would lack them"
    )]
    Purged {
        /// Whose events they are.
        owner: String,
        /// The position of the last one that is gone.
        mark: i64,
    },
    /// The owner does not say what it keeps.
    #[error(transparent)]
    Owner(#[from] Error),
}

impl From<RebuildError> for Status {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Purged { .. } => {
                Reason::FailedPrecondition.because(HISTORY_PURGED, error.to_string())
            }
            RebuildError::Owner(error) => error.into(),
        }
    }
}

impl Projection {
    /// What begins its rebuilds, in the consumer's mesh.
    ///
    /// # Errors
    /// The mesh does not know the owner.
    pub fn rebuilds(&self, mesh: &Mesh) -> Result<Rebuilds, Error> {
        Ok(self.rebuilds_from(FeedClient::new(mesh.channel(self.owner())?)))
    }

    pub(crate) fn rebuilds_from(&self, feed: FeedClient) -> Rebuilds {
        Rebuilds { projection: self.clone(), feed }
    }
}

impl Rebuilds {
    /// Asks the owner whether it keeps every event from the first on; to be asked before the unit of work that begins.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub async fn are_possible(&self, context: &Context) -> Result<(), RebuildError> {
        let head = self.feed.within(context).head(HeadRequest::default().with_kept(true)).await?;
        match head.purged_to {
            None => Ok(()),
            Some(to) => {
                Err(RebuildError::Purged { owner: self.projection.owner().to_owned(), mark: to.mark })
            }
        }
    }

    /// Begins a rebuild in this unit of work, or joins the one that is under way; answers the generation that is built.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn begin(&self, work: &mut Work, reason: &str) -> Result<i64, StoreError> {
        generations::begin(work, &self.projection, reason).await
    }

    /// Tells the consumer that a rebuild has been committed; without it, it finds out within a second.
    pub fn have_begun(&self) {
        self.projection.wake().notify_one();
    }
}
