//! The contract's service: decode, call the operation, encode.

use freehold_sdk::notifications::v1 as pb;
use freehold_store::Store;
use freehold_wire::{Context, async_trait};
use tonic::Status;

use crate::operations::{count_mails, list_mails};

/// `notifications.v1.NotificationsService` over the store.
pub(crate) struct Grpc {
    pub(crate) store: Store,
}

#[async_trait]
impl pb::NotificationsService for Grpc {
    async fn list_mails(
        &self,
        context: Context,
        request: pb::ListMailsRequest,
    ) -> Result<pb::ListMailsResponse, Status> {
        list_mails::run(&context, &self.store, &request).await
    }

    async fn count_mails(
        &self,
        context: Context,
        request: pb::CountMailsRequest,
    ) -> Result<pb::CountMailsResponse, Status> {
        Ok(count_mails::run(&context, &self.store, &request.order_id_prefix).await?)
    }
}
