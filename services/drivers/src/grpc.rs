//! The contract's service: decode, call the operation, encode.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::Store;
use freehold_wire::dispatch::Messages;
use freehold_wire::page::Page;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::live::Watchers;
use crate::operations::report_locations::Reporting;
use crate::operations::{
    batch_get_drivers, batch_get_locations, change_standing, erase_driver, get_driver, get_location,
    list_drivers, list_track, rate_driver, register_driver, report_locations, update_driver, watch_driver,
};
use crate::retention::Sweeper;

/// `drivers.v1.DriversService` over the store, and over what goes on between its streams.
pub(crate) struct Grpc {
    pub(crate) store: Store,
    pub(crate) reporting: Reporting,
    pub(crate) watchers: Watchers,
    pub(crate) sweeper: Sweeper,
}

#[async_trait]
impl pb::DriversService for Grpc {
    async fn register_driver(
        &self,
        context: Context,
        request: pb::RegisterDriverRequest,
    ) -> Result<Committed<pb::DriverProfile>, Status> {
        Ok(register_driver::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn get_driver(
        &self,
        context: Context,
        request: pb::GetDriverRequest,
    ) -> Result<pb::DriverProfile, Status> {
        get_driver::run(&context, &self.store, &request.id).await
    }

    async fn batch_get_drivers(
        &self,
        context: Context,
        request: pb::BatchGetDriversRequest,
    ) -> Result<pb::BatchGetDriversResponse, Status> {
        Ok(batch_get_drivers::run(&context, &self.store, &request.ids).await?)
    }

    async fn list_drivers(
        &self,
        context: Context,
        request: pb::ListDriversRequest,
    ) -> Result<pb::ListDriversResponse, Status> {
        let page = Page::parse(list_drivers::LIST, request.page_size, &request.page_token)?;
        Ok(list_drivers::run(&context, &self.store, &page).await?)
    }

    async fn update_driver(
        &self,
        context: Context,
        request: pb::UpdateDriverRequest,
    ) -> Result<Committed<pb::DriverProfile>, Status> {
        Ok(update_driver::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn change_standing(
        &self,
        context: Context,
        request: pb::ChangeStandingRequest,
    ) -> Result<Committed<pb::DriverProfile>, Status> {
        Ok(change_standing::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn rate_driver(
        &self,
        context: Context,
        request: pb::RateDriverRequest,
    ) -> Result<Committed<pb::Rating>, Status> {
        Ok(rate_driver::run(&context, &self.store, request.into()).await?)
    }

    async fn erase_driver(
        &self,
        context: Context,
        request: pb::EraseDriverRequest,
    ) -> Result<Committed<pb::EraseDriverResponse>, Status> {
        let erased = erase_driver::run(&context, &self.store, request.id.clone()).await?;
        self.watchers.forget(&request.id);
        self.sweeper.wake();
        Ok(erased)
    }

    async fn report_locations(
        &self,
        context: Context,
        requests: Messages<pb::ReportLocationsRequest>,
    ) -> Result<pb::ReportLocationsResponse, Status> {
        report_locations::run(&context, &self.reporting, requests).await
    }

    async fn watch_driver(
        &self,
        context: Context,
        request: pb::WatchDriverRequest,
    ) -> Result<Messages<pb::Position>, Status> {
        watch_driver::run(&context, &self.store, &self.watchers, request.driver_id).await
    }

    async fn get_location(
        &self,
        context: Context,
        request: pb::GetLocationRequest,
    ) -> Result<pb::Position, Status> {
        get_location::run(&context, &self.store, &request.driver_id).await
    }

    async fn batch_get_locations(
        &self,
        context: Context,
        request: pb::BatchGetLocationsRequest,
    ) -> Result<pb::BatchGetLocationsResponse, Status> {
        Ok(batch_get_locations::run(&context, &self.store, &request.driver_ids).await?)
    }

    async fn list_track(
        &self,
        context: Context,
        request: pb::ListTrackRequest,
    ) -> Result<pb::ListTrackResponse, Status> {
        Ok(list_track::run(&context, &self.store, request.try_into()?).await?)
    }
}
