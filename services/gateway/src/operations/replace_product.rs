//! Replaces a product, in the catalog and in all baskets or in neither, and answers when the saga has ended.
//!
//! The answer is how the saga ended, out of its row, so a repetition gets the same answer for ever.

use freehold_saga::{BeginError, Handle, Outcome, Saga, WaitError};
use freehold_sdk::gateway::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::bad_field;
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::sagas::replace_product::ReplaceProduct;

/// What replacing works with.
pub(crate) struct Replacing {
    pub(crate) store: Store,
    pub(crate) saga: Saga<ReplaceProduct>,
    pub(crate) sagas: Handle,
}

/// Why a replacement has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplaceProductError {
    #[error("the id `{0}` names a replacement of other products")]
    Exists(String),
    #[error(transparent)]
    Begin(BeginError),
    #[error(transparent)]
    Wait(#[from] WaitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BeginError> for ReplaceProductError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Conflict { id, .. } => Self::Exists(id),
            BeginError::Store(error) => Self::Store(error),
            other => Self::Begin(other),
        }
    }
}

impl From<ReplaceProductError> for Status {
    fn from(error: ReplaceProductError) -> Self {
        match error {
            ReplaceProductError::Exists(_) => {
                Reason::FailedPrecondition.because("REPLACEMENT_EXISTS", error.to_string())
            }
            ReplaceProductError::Begin(_) => Reason::Internal.status(error.to_string()),
            ReplaceProductError::Wait(error) => error.into(),
            ReplaceProductError::Store(error) => error.into(),
        }
    }
}

/// Refuses what the field checks of the contract cannot see.
///
/// # Errors
/// INVALID_ARGUMENT naming the id, which names the saga and its effects elsewhere too; or the second product, where it
/// is the first.
pub(crate) fn check(request: &pb::ReplaceProductRequest) -> Result<(), Status> {
    if !request.id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
        return Err(bad_field("id", "must be printable ASCII without `/` and blanks"));
    }
    if request.product_id == request.by_product_id {
        return Err(bad_field("by_product_id", "is the product that is to be replaced"));
    }
    Ok(())
}

impl Replacing {
    /// Begins the replacement and waits until it has ended, or the caller's time is up; it goes on regardless.
    pub(crate) async fn run(
        &self,
        context: &Context,
        request: pb::ReplaceProductRequest,
    ) -> Result<Committed<pb::ProductReplacement>, ReplaceProductError> {
        let id = request.id.clone();
        let saga = self.saga.clone();
        let unit = async move |work: &mut Work| begin(work, &saga, request).await;
        let begun = self.store.write(context, unit).await?;
        let ended = self.sagas.wait(context, &id).await?;
        Ok(begun.map(|begun| answer(begun, ended.outcome())))
    }
}

async fn begin(
    work: &mut Work,
    saga: &Saga<ReplaceProduct>,
    request: pb::ReplaceProductRequest,
) -> Result<pb::ProductReplacement, ReplaceProductError> {
    let pb::ReplaceProductRequest { product_id, by_product_id, id, .. } = request;
    let input = ReplaceProduct { id, product_id, by_product_id };
    saga.begin(work, &input.id, &input).await?;
    Ok(pb::ProductReplacement::default()
        .with_id(input.id)
        .with_product_id(input.product_id)
        .with_by_product_id(input.by_product_id))
}

fn answer(begun: pb::ProductReplacement, outcome: &Outcome) -> pb::ProductReplacement {
    match outcome {
        Outcome::Done => begun.with_state(pb::ProductReplacementState::Done),
        Outcome::Compensated(failure) => {
            begun.with_state(pb::ProductReplacementState::Undone).with_reason(failure.reason())
        }
    }
}
