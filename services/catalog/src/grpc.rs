//! The contract's service: decode, call the operation, encode.

use freehold_events::projection::Rebuilds;
use freehold_sdk::catalog::v1 as pb;
use freehold_store::Store;
use freehold_wire::page::Page;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::operations::{
    batch_get_prices, batch_get_products, change_price, create_product, delete_product, discontinue_product,
    find_products, get_attributes, get_product, list_products, list_sales, rebuild_sales, reinstate_product,
    set_attributes,
};

/// `catalog.v1.CatalogService` over the store.
#[derive(Debug)]
pub(crate) struct Grpc {
    pub(crate) store: Store,
    /// What begins to build the sales anew.
    pub(crate) sales: Rebuilds,
}

#[async_trait]
impl pb::CatalogService for Grpc {
    async fn create_product(
        &self,
        context: Context,
        request: pb::CreateProductRequest,
    ) -> Result<Committed<pb::Product>, Status> {
        Ok(create_product::run(&context, &self.store, request.into()).await?)
    }

    async fn get_product(
        &self,
        context: Context,
        request: pb::GetProductRequest,
    ) -> Result<pb::Product, Status> {
        get_product::run(&context, &self.store, &request.id).await
    }

    async fn batch_get_products(
        &self,
        context: Context,
        request: pb::BatchGetProductsRequest,
    ) -> Result<pb::BatchGetProductsResponse, Status> {
        Ok(batch_get_products::run(&context, &self.store, &request.ids).await?)
    }

    async fn batch_get_prices(
        &self,
        context: Context,
        request: pb::BatchGetPricesRequest,
    ) -> Result<pb::BatchGetPricesResponse, Status> {
        Ok(batch_get_prices::run(&context, &self.store, &request.product_ids).await?)
    }

    async fn list_products(
        &self,
        context: Context,
        request: pb::ListProductsRequest,
    ) -> Result<pb::ListProductsResponse, Status> {
        let page = Page::parse(list_products::LIST, request.page_size, &request.page_token)?;
        Ok(list_products::run(&context, &self.store, &page).await?)
    }

    async fn change_price(
        &self,
        context: Context,
        request: pb::ChangePriceRequest,
    ) -> Result<Committed<pb::Product>, Status> {
        Ok(change_price::run(&context, &self.store, request.into()).await?)
    }

    async fn discontinue_product(
        &self,
        context: Context,
        request: pb::DiscontinueProductRequest,
    ) -> Result<Committed<pb::Product>, Status> {
        Ok(discontinue_product::run(&context, &self.store, request.into()).await?)
    }

    async fn reinstate_product(
        &self,
        context: Context,
        request: pb::ReinstateProductRequest,
    ) -> Result<Committed<pb::ReinstateProductResponse>, Status> {
        Ok(reinstate_product::run(&context, &self.store, request.into()).await?)
    }

    async fn delete_product(
        &self,
        context: Context,
        request: pb::DeleteProductRequest,
    ) -> Result<Committed<pb::DeleteProductResponse>, Status> {
        Ok(delete_product::run(&context, &self.store, request.id).await?)
    }
    async fn set_attributes(
        &self,
        context: Context,
        request: pb::SetAttributesRequest,
    ) -> Result<Committed<pb::ProductAttributes>, Status> {
        Ok(set_attributes::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn get_attributes(
        &self,
        context: Context,
        request: pb::GetAttributesRequest,
    ) -> Result<pb::ProductAttributes, Status> {
        get_attributes::run(&context, &self.store, &request.product_id).await
    }

    async fn find_products(
        &self,
        context: Context,
        request: pb::FindProductsRequest,
    ) -> Result<pb::FindProductsResponse, Status> {
        find_products::run(&context, &self.store, &request).await
    }

    async fn list_sales(
        &self,
        context: Context,
        request: pb::ListSalesRequest,
    ) -> Result<pb::ListSalesResponse, Status> {
        list_sales::run(&context, &self.store, &request).await
    }

    async fn rebuild_sales(
        &self,
        context: Context,
        request: pb::RebuildSalesRequest,
    ) -> Result<Committed<pb::RebuildSalesResponse>, Status> {
        Ok(rebuild_sales::run(&context, &self.store, &self.sales, request.reason).await?)
    }
}
