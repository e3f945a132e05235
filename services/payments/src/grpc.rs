//! The contract's service: decode, call the operation, encode.

use freehold_sdk::payments::v1 as pb;
use freehold_store::Store;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::operations::{authorise, capture, deposit, get_account, get_payment, open_account, refund, void};

/// `payments.v1.PaymentsService` over the store.
#[derive(Debug)]
pub(crate) struct Grpc {
    pub(crate) store: Store,
}

#[async_trait]
impl pb::PaymentsService for Grpc {
    async fn open_account(
        &self,
        context: Context,
        request: pb::OpenAccountRequest,
    ) -> Result<Committed<pb::Account>, Status> {
        Ok(open_account::run(&context, &self.store, request.into()).await?)
    }

    async fn deposit(
        &self,
        context: Context,
        request: pb::DepositRequest,
    ) -> Result<Committed<pb::Account>, Status> {
        Ok(deposit::run(&context, &self.store, request.into()).await?)
    }

    async fn get_account(
        &self,
        context: Context,
        request: pb::GetAccountRequest,
    ) -> Result<pb::Account, Status> {
        get_account::run(&context, &self.store, &request.customer_id).await
    }

    async fn get_payment(
        &self,
        context: Context,
        request: pb::GetPaymentRequest,
    ) -> Result<pb::Payment, Status> {
        get_payment::run(&context, &self.store, &request.id).await
    }

    async fn authorise(
        &self,
        context: Context,
        request: pb::AuthoriseRequest,
    ) -> Result<Committed<pb::Payment>, Status> {
        Ok(authorise::run(&context, &self.store, request.into()).await?)
    }

    async fn void(
        &self,
        context: Context,
        request: pb::VoidRequest,
    ) -> Result<Committed<pb::Payment>, Status> {
        Ok(void::run(&context, &self.store, request.id).await?)
    }

    async fn capture(
        &self,
        context: Context,
        request: pb::CaptureRequest,
    ) -> Result<Committed<pb::Payment>, Status> {
        Ok(capture::run(&context, &self.store, request.id).await?)
    }

    async fn refund(
        &self,
        context: Context,
        request: pb::RefundRequest,
    ) -> Result<Committed<pb::Payment>, Status> {
        Ok(refund::run(&context, &self.store, request.id).await?)
    }
}
