//! The contract's service: decode, call the operation, encode.

use freehold_sdk::orders::v1 as pb;
use freehold_wire::page::Page;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::operations::place_order::{self, Placing};
use crate::operations::{
    cancel_order, get_basket, get_order, list_orders, replace_in_baskets, restore_in_baskets, save_basket,
    ship_order,
};

/// `orders.v1.OrdersService` over the store, the copies and the saga.
pub(crate) struct Grpc {
    pub(crate) placing: Placing,
}

#[async_trait]
impl pb::OrdersService for Grpc {
    async fn place_order(
        &self,
        context: Context,
        request: pb::PlaceOrderRequest,
    ) -> Result<Committed<pb::Order>, Status> {
        place_order::check(&request)?;
        Ok(self.placing.run(&context, request).await?)
    }

    async fn get_order(&self, context: Context, request: pb::GetOrderRequest) -> Result<pb::Order, Status> {
        get_order::run(&context, &self.placing.store, &request.id, request.as_of).await
    }

    async fn list_orders(
        &self,
        context: Context,
        request: pb::ListOrdersRequest,
    ) -> Result<pb::ListOrdersResponse, Status> {
        let list = list_orders::list_name(&request.customer_id);
        let page = Page::parse(&list, request.page_size, &request.page_token)?;
        self.placing.copies.catch_up(&context).await?;
        Ok(list_orders::run(&context, &self.placing.store, &page, &request.customer_id).await?)
    }

    async fn cancel_order(
        &self,
        context: Context,
        request: pb::CancelOrderRequest,
    ) -> Result<Committed<pb::Order>, Status> {
        Ok(cancel_order::run(&context, &self.placing.store, request).await?)
    }

    async fn ship_order(
        &self,
        context: Context,
        request: pb::ShipOrderRequest,
    ) -> Result<Committed<pb::Order>, Status> {
        Ok(ship_order::run(&context, &self.placing.store, request).await?)
    }
    async fn get_basket(
        &self,
        context: Context,
        request: pb::GetBasketRequest,
    ) -> Result<pb::Basket, Status> {
        Ok(get_basket::run(&context, &self.placing.store, &request.customer_id).await?)
    }

    async fn save_basket(
        &self,
        context: Context,
        request: pb::SaveBasketRequest,
    ) -> Result<Committed<pb::Basket>, Status> {
        save_basket::check(&request)?;
        Ok(save_basket::run(&context, &self.placing.store, &self.placing.copies, request.into()).await?)
    }

    async fn replace_in_baskets(
        &self,
        context: Context,
        request: pb::ReplaceInBasketsRequest,
    ) -> Result<Committed<pb::Replacement>, Status> {
        let Placing { store, copies, .. } = &self.placing;
        Ok(replace_in_baskets::run(&context, store, copies, request.try_into()?).await?)
    }

    async fn restore_in_baskets(
        &self,
        context: Context,
        request: pb::RestoreInBasketsRequest,
    ) -> Result<Committed<pb::Replacement>, Status> {
        Ok(restore_in_baskets::run(&context, &self.placing.store, request.into()).await?)
    }
}
