//! The contract's service: decode, call the operation, encode.

use freehold_sdk::widgets::v1 as pb;
use freehold_store::Store;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::convert;
use crate::operations::{create_widget, get_widget};

/// `widgets.v1.WidgetsService` over the store.
pub(crate) struct Grpc {
    pub(crate) store: Store,
}

#[async_trait]
impl pb::WidgetsService for Grpc {
    async fn get_widget(
        &self,
        context: Context,
        request: pb::GetWidgetRequest,
    ) -> Result<pb::Widget, Status> {
        get_widget::run(&context, &self.store, &request.id).await
    }

    async fn create_widget(
        &self,
        context: Context,
        request: pb::CreateWidgetRequest,
    ) -> Result<Committed<pb::Widget>, Status> {
        create_widget::run(&context, &self.store, convert::created(request)).await
    }
}
