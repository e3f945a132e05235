//! Projections: views that are built from an owner's events, and can be built anew from the first of them.
//!
//! A view's rows are named by the generation that built them. While one generation is read, a younger one can be built
//! beside it, with a subscription, an inbox and a position of its own; where both stand at the same position, one unit of
//! work makes the younger the one that is read, and the older is swept. **Invariant:** the generation that is read is a
//! prefix of the owner's history, and what is read never goes back.

pub(crate) mod generations;
mod rebuilds;
pub(crate) mod swap;
pub(crate) mod sweep;

use std::fmt;
use std::sync::Arc;

use freehold_store::{Queries, StoreError};
use tokio::sync::Notify;

use crate::subscription::Subscription;
use generations::Fence;

pub use rebuilds::{HISTORY_PURGED, RebuildError, Rebuilds};

/// A view, and how each of its generations is built. Cloning is cheap.
///
/// Its reactions write rows of the generation that they are made for, and nothing else: what they emitted or shared
/// would be told again by each rebuild.
#[derive(Clone)]
pub struct Projection {
    name: Arc<str>,
    owner: Arc<str>,
    version: i64,
    reactions: Arc<dyn Fn(i64) -> Subscription + Send + Sync>,
    sweeps: &'static [&'static str],
    wake: Arc<Notify>,
}

impl Projection {
    /// The view "consumer/purpose" of the events of `owner`.
    ///
    /// `version` is that of the reactions: where it is not the one that a view was built by, the view is built anew when
    /// the consumer starts. Until then it stands still and is read as it is, so a new version keeps the columns that are
    /// read. `reactions` makes the subscriptions of a generation, of which the one to `owner` counts.
    #[must_use]
    pub fn new(
        consumer: &str,
        purpose: &str,
        owner: &str,
        version: i64,
        reactions: impl Fn(i64) -> Vec<Subscription> + Send + Sync + 'static,
    ) -> Self {
        let (consumer, of) = (Arc::<str>::from(consumer), Arc::<str>::from(owner));
        let name = format!("{consumer}/{purpose}").into();
        let reactions = move |generation| {
            let mut made = reactions(generation).into_iter();
            made.find(|subscription| subscription.owner() == &*of)
                .unwrap_or_else(|| Subscription::views(&consumer, &of))
        };
        let wake = Arc::new(Notify::new());
        Self { name, owner: owner.into(), version, reactions: Arc::new(reactions), sweeps: &[], wake }
    }

    /// How the rows of generation `$1` are removed: each statement removes a bounded part of them and is run until it
    /// removes nothing.
    #[must_use]
    pub fn swept_by(self, statements: &'static [&'static str]) -> Self {
        Self { sweeps: statements, ..self }
    }

    /// "consumer/purpose".
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose events it is built from.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub(crate) fn version(&self) -> i64 {
        self.version
    }

    pub(crate) fn sweeps(&self) -> &'static [&'static str] {
        self.sweeps
    }

    /// Told when a generation has begun or is read.
    pub(crate) fn wake(&self) -> &Notify {
        &self.wake
    }

    /// The subscription that builds a generation: "consumer/purpose/generation".
    pub(crate) fn subscription(&self, generation: i64) -> Subscription {
        let fence = Fence { projection: Arc::clone(&self.name), generation };
        (self.reactions)(generation).of_generation(&self.subscription_name(generation), fence)
    }

    pub(crate) fn subscription_name(&self, generation: i64) -> String {
        format!("{}/{generation}", self.name)
    }
}

/// The generation of the projection "consumer/purpose" that is to be read, in this snapshot or unit of work; `None`
/// before the first one begins.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn read_generation(
    queries: &mut impl Queries,
    projection: &str,
) -> Result<Option<i64>, StoreError> {
    generations::read(queries, projection).await
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
