//! Replaces all attributes of a product. Nobody else is told: they are the catalog's own.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::{bad_field, not_found};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::attributes::Attributes;
use crate::convert;
use crate::store::attributes::{self, Kept};
use crate::store::products;

/// What is to be said of a product.
pub(crate) struct SetAttributes {
    product_id: String,
    attributes: Attributes,
    /// The version that they must stand at.
    expected: Option<i64>,
}

impl TryFrom<pb::SetAttributesRequest> for SetAttributes {
    type Error = Status;

    fn try_from(request: pb::SetAttributesRequest) -> Result<Self, Status> {
        let document = request.attributes.ok_or_else(|| bad_field("attributes", "is required"))?;
        let attributes = Attributes::new(&document)?;
        Ok(Self { product_id: request.product_id, attributes, expected: request.version })
    }
}

/// Why nothing was set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetAttributesError {
    #[error("no product has the id `{0}`")]
    NotFound(String),
    #[error("the attributes stand at version {stands}, not at {expected}")]
    Stale { stands: i64, expected: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SetAttributesError> for Status {
    fn from(error: SetAttributesError) -> Self {
        match error {
            SetAttributesError::NotFound(id) => not_found("product", &id),
            SetAttributesError::Stale { .. } => Reason::Aborted.because("STALE_VERSION", error.to_string()),
            SetAttributesError::Store(error) => error.into(),
        }
    }
}

/// Replaces the attributes.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: SetAttributes,
) -> Result<Committed<pb::ProductAttributes>, SetAttributesError> {
    store.write(context, async move |work: &mut Work| set(work, command).await).await
}

async fn set(work: &mut Work, command: SetAttributes) -> Result<pb::ProductAttributes, SetAttributesError> {
    let SetAttributes { product_id, attributes, expected } = command;
    work.lock::<pb::Product>(&product_id).await?;
    if products::find(work, &product_id).await?.is_none() {
        return Err(SetAttributesError::NotFound(product_id));
    }
    let stands = attributes::find(work, &product_id).await?.map_or(0, |kept| kept.version);
    if let Some(expected) = expected.filter(|expected| *expected != stands) {
        return Err(SetAttributesError::Stale { stands, expected });
    }
    let kept = Kept { attributes, version: stands + 1 };
    attributes::save(work, &product_id, &kept).await?;
    Ok(convert::attributes(&product_id, Some(&kept)))
}
