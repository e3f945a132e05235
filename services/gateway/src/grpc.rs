//! The contract's service: decode, call the operation, encode.

use freehold_sdk::gateway::v1 as pb;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::generated::Calls;
use crate::operations::get_order_page;
use crate::operations::replace_product::{self, Replacing};

/// `gateway.v1.GatewayService` over the other services and the saga.
pub(crate) struct Grpc {
    pub(crate) calls: Calls,
    pub(crate) replacing: Replacing,
}

#[async_trait]
impl pb::GatewayService for Grpc {
    async fn get_order_page(
        &self,
        context: Context,
        request: pb::GetOrderPageRequest,
    ) -> Result<pb::OrderPage, Status> {
        get_order_page::run(&context, &self.calls, request).await
    }

    async fn replace_product(
        &self,
        context: Context,
        request: pb::ReplaceProductRequest,
    ) -> Result<Committed<pb::ProductReplacement>, Status> {
        replace_product::check(&request)?;
        Ok(self.replacing.run(&context, request).await?)
    }
}
