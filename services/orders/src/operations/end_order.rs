//! What cancelling and shipping share: a confirmed order is locked, checked against the caller's revision, and ended.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{StoreError, Work};
use freehold_wire::Reason;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::order::{Fact, Order, WrongState};
use crate::store::orders::{self, RecordError};

/// Why an order was not ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndOrderError {
    #[error("no order has the id `{0}`")]
    NotFound(String),
    #[error("the order `{id}` stands at revision {stands}, not {wanted}")]
    StaleRevision { id: String, stands: i64, wanted: i64 },
    #[error(transparent)]
    WrongState(#[from] WrongState),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EndOrderError> for Status {
    fn from(error: EndOrderError) -> Self {
        match error {
            EndOrderError::NotFound(id) => not_found("order", &id),
            EndOrderError::WrongState(_) => {
                Reason::FailedPrecondition.because("WRONG_STATE", error.to_string())
            }
            EndOrderError::StaleRevision { .. } | EndOrderError::Record(RecordError::Stale(_)) => {
                Reason::Aborted.because("STALE_REVISION", error.to_string())
            }
            EndOrderError::Record(RecordError::Store(error)) | EndOrderError::Store(error) => error.into(),
        }
    }
}

/// Ends the order as `decide` says.
pub(crate) async fn end(
    work: &mut Work,
    id: String,
    revision: Option<i64>,
    decide: impl FnOnce(&Order) -> Result<Fact, WrongState>,
) -> Result<pb::Order, EndOrderError> {
    let Some(order) = orders::lock(work, &id).await? else { return Err(EndOrderError::NotFound(id)) };
    if let Some(wanted) = revision.filter(|wanted| *wanted != order.revision) {
        return Err(EndOrderError::StaleRevision { id, stands: order.revision, wanted });
    }
    let fact = decide(&order)?;
    let ended = orders::record(work, &order, fact).await?;
    Ok(convert::entity(&ended))
}
