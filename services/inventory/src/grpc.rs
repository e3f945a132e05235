//! The contract's service: decode, call the operation, encode.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::Store;
use freehold_wire::page::Page;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::operations::{batch_get_stock, get_stock, list_stock, release, reserve, restock, ship};

/// `inventory.v1.InventoryService` over the store.
#[derive(Debug)]
pub(crate) struct Grpc {
    pub(crate) store: Store,
}

#[async_trait]
impl pb::InventoryService for Grpc {
    async fn restock(
        &self,
        context: Context,
        request: pb::RestockRequest,
    ) -> Result<Committed<pb::Stock>, Status> {
        Ok(restock::run(&context, &self.store, request.into()).await?)
    }

    async fn get_stock(&self, context: Context, request: pb::GetStockRequest) -> Result<pb::Stock, Status> {
        get_stock::run(&context, &self.store, &request.product_id).await
    }

    async fn batch_get_stock(
        &self,
        context: Context,
        request: pb::BatchGetStockRequest,
    ) -> Result<pb::BatchGetStockResponse, Status> {
        Ok(batch_get_stock::run(&context, &self.store, &request.product_ids).await?)
    }

    async fn list_stock(
        &self,
        context: Context,
        request: pb::ListStockRequest,
    ) -> Result<pb::ListStockResponse, Status> {
        let page = Page::parse(list_stock::LIST, request.page_size, &request.page_token)?;
        Ok(list_stock::run(&context, &self.store, &page).await?)
    }

    async fn reserve(
        &self,
        context: Context,
        request: pb::ReserveRequest,
    ) -> Result<Committed<pb::Reservation>, Status> {
        Ok(reserve::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn release(
        &self,
        context: Context,
        request: pb::ReleaseRequest,
    ) -> Result<Committed<pb::Reservation>, Status> {
        Ok(release::run(&context, &self.store, request.id).await?)
    }

    async fn ship(
        &self,
        context: Context,
        request: pb::ShipRequest,
    ) -> Result<Committed<pb::Reservation>, Status> {
        Ok(ship::run(&context, &self.store, request.id).await?)
    }
}
