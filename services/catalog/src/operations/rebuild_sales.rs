//! Begins to build the sales anew, while they are read. It is refused where not every event is kept any more.

use freehold_events::projection::{RebuildError, Rebuilds};
use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context};
use tonic::Status;

/// Why no rebuild began.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildSalesError {
    #[error(transparent)]
    Refused(#[from] RebuildError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RebuildSalesError> for Status {
    fn from(error: RebuildSalesError) -> Self {
        match error {
            RebuildSalesError::Refused(error) => error.into(),
            RebuildSalesError::Store(error) => error.into(),
        }
    }
}

/// Begins a rebuild, or joins the one that is under way.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    rebuilds: &Rebuilds,
    reason: String,
) -> Result<Committed<pb::RebuildSalesResponse>, RebuildSalesError> {
    rebuilds.are_possible(context).await?;
    let begins = rebuilds.clone();
    let begun = store
        .write(context, async move |work: &mut Work| {
            let generation = begins.begin(work, &reason).await?;
            Ok::<_, StoreError>(pb::RebuildSalesResponse::default().with_generation(generation))
        })
        .await?;
    rebuilds.have_begun();
    Ok(begun)
}
