//! The contract's service: decode, call the operation, encode.

use freehold_sdk::users::v1 as pb;
use freehold_store::Store;
use freehold_wire::page::Page;
use freehold_wire::{Committed, Context, async_trait};
use tonic::Status;

use crate::operations::{batch_get_users, erase_user, get_user, list_users, register_user, update_user};

/// `users.v1.UsersService` over the store.
pub(crate) struct Grpc {
    pub(crate) store: Store,
}

#[async_trait]
impl pb::UsersService for Grpc {
    async fn register_user(
        &self,
        context: Context,
        request: pb::RegisterUserRequest,
    ) -> Result<Committed<pb::User>, Status> {
        Ok(register_user::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn get_user(&self, context: Context, request: pb::GetUserRequest) -> Result<pb::User, Status> {
        get_user::run(&context, &self.store, &request.id).await
    }

    async fn batch_get_users(
        &self,
        context: Context,
        request: pb::BatchGetUsersRequest,
    ) -> Result<pb::BatchGetUsersResponse, Status> {
        Ok(batch_get_users::run(&context, &self.store, &request.ids).await?)
    }

    async fn list_users(
        &self,
        context: Context,
        request: pb::ListUsersRequest,
    ) -> Result<pb::ListUsersResponse, Status> {
        let page = Page::parse(list_users::LIST, request.page_size, &request.page_token)?;
        Ok(list_users::run(&context, &self.store, &page).await?)
    }

    async fn update_user(
        &self,
        context: Context,
        request: pb::UpdateUserRequest,
    ) -> Result<Committed<pb::User>, Status> {
        Ok(update_user::run(&context, &self.store, request.try_into()?).await?)
    }

    async fn erase_user(
        &self,
        context: Context,
        request: pb::EraseUserRequest,
    ) -> Result<Committed<pb::EraseUserResponse>, Status> {
        Ok(erase_user::run(&context, &self.store, request.id).await?)
    }
}
