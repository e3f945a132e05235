//! The contract's service: decode, call the operation, encode.

use freehold_sdk::rides::v1 as pb;
use freehold_store::Store;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::copies::Copies;
use crate::generated::Calls;
use crate::operations::list_rides::ListRides;
use crate::operations::{
    accept_ride, cancel_ride, finish_ride, get_ride, list_rides, request_ride, start_ride,
};

/// `rides.v1.RidesService` over the store, the copies and the drivers' owner.
pub(crate) struct Grpc {
    pub(crate) store: Store,
    pub(crate) copies: Copies,
    pub(crate) calls: Calls,
}

#[async_trait]
impl pb::RidesService for Grpc {
    async fn request_ride(
        &self,
        context: Context,
        request: pb::RequestRideRequest,
    ) -> Result<Committed<pb::Ride>, Status> {
        Ok(request_ride::run(&context, &self.store, &self.copies, request.try_into()?).await?)
    }

    async fn accept_ride(
        &self,
        context: Context,
        request: pb::AcceptRideRequest,
    ) -> Result<Committed<pb::Ride>, Status> {
        Ok(accept_ride::run(&context, &self.store, &self.copies, request).await?)
    }

    async fn start_ride(
        &self,
        context: Context,
        request: pb::StartRideRequest,
    ) -> Result<Committed<pb::Ride>, Status> {
        Ok(start_ride::run(&context, &self.store, request).await?)
    }

    async fn finish_ride(
        &self,
        context: Context,
        request: pb::FinishRideRequest,
    ) -> Result<Committed<pb::Ride>, Status> {
        Ok(finish_ride::run(&context, &self.store, request).await?)
    }

    async fn cancel_ride(
        &self,
        context: Context,
        request: pb::CancelRideRequest,
    ) -> Result<Committed<pb::Ride>, Status> {
        Ok(cancel_ride::run(&context, &self.store, request).await?)
    }

    async fn get_ride(
        &self,
        context: Context,
        request: pb::GetRideRequest,
    ) -> Result<pb::GetRideResponse, Status> {
        get_ride::run(&context, &self.store, &self.copies, &self.calls, &request.id).await
    }

    async fn list_rides(
        &self,
        context: Context,
        request: pb::ListRidesRequest,
    ) -> Result<pb::ListRidesResponse, Status> {
        let command = ListRides::try_from(request)?;
        self.copies.names(&context).await?;
        Ok(list_rides::run(&context, &self.store, &command).await?)
    }
}
