//! What a part of a service has on record of a key, for the operator who asks the service.

use async_trait::async_trait;
use tonic::Status;

use crate::context::Context;
use crate::generated::pb::ListRecordsResponse;

/// A part of a service that keeps records: the executor of its sagas.
#[async_trait]
pub trait Witness: Send + Sync + 'static {
    /// Adds what it has on record of a key.
    ///
    /// # Errors
    /// Where its records cannot be read.
    async fn tell(&self, context: &Context, key: &str, told: &mut ListRecordsResponse) -> Result<(), Status>;
}
