//! Operations: what an operator sees of the events that a service sends and takes, and decides about them.
//!
//! A gRPC service over the database of the service that it is served by: `standing` (who has come how far, on either side),
//! `parked_keys` (what waits, and what is decided about it), `replays` (what is read again), `log` (the events that are
//! kept), `records` (what else is known of a key). **Invariant:** it answers the operator alone, and what is decided is on record in the unit of work that does it.

mod log;
mod parked_keys;
mod records;
mod replays;
mod standing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use freehold_store::Store;
use freehold_wire::metadata::OPERATOR;
use freehold_wire::operations::OperationsService;
use freehold_wire::pb::{
    ForgetSubscriberRequest, ForgetSubscriberResponse, GetParkedKeyRequest, GetParkedKeyResponse,
    ListEventsRequest, ListEventsResponse, ListParkedKeysRequest, ListParkedKeysResponse, ListRecordsRequest,
    ListRecordsResponse, ListRelaysRequest, ListRelaysResponse, ListSubscribersRequest,
    ListSubscribersResponse, ListSubscriptionsRequest, ListSubscriptionsResponse, RedriveDeadLetterRequest,
    RedriveDeadLetterResponse, ReplayRequest, ReplayResponse, SkipDeadLetterRequest, SkipDeadLetterResponse,
};
use freehold_wire::reason::Reason;
use freehold_wire::{Committed, Context, Witness};
use tonic::Status;

use crate::feed::position;
use crate::relay;

/// The operations of one service. Cloning is cheap.
#[derive(Clone)]
pub struct Operations {
    store: Store,
    witnesses: Vec<Arc<dyn Witness>>,
}

impl Operations {
    /// The operations over the service's own store, which has this crate's [`crate::MIGRATIONS`].
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, witnesses: Vec::new() }
    }

    /// The same, which also tell what another part of the service has on record of a key: its sagas.
    #[must_use]
    pub fn with(mut self, witness: impl Witness) -> Self {
        self.witnesses.push(Arc::new(witness));
        self
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("store", &self.store).finish_non_exhaustive()
    }
}

fn admit(context: &Context) -> Result<(), Status> {
    if context.caller().name() == Some(OPERATOR) {
        return Ok(());
    }
    let message = format!("operations are for the caller `{OPERATOR}`, not for `{}`", context.caller());
    Err(Reason::PermissionDenied.because("NOT_OPERATOR", message))
}

#[async_trait]
impl OperationsService for Operations {
    async fn list_subscriptions(
        &self,
        context: Context,
        _request: ListSubscriptionsRequest,
    ) -> Result<ListSubscriptionsResponse, Status> {
        admit(&context)?;
        let mut read = self.store.read_within(&context).await?;
        let subscriptions = standing::subscriptions(&mut read).await?;
        Ok(ListSubscriptionsResponse::default().with_subscriptions(subscriptions))
    }

    async fn list_subscribers(
        &self,
        context: Context,
        _request: ListSubscribersRequest,
    ) -> Result<ListSubscribersResponse, Status> {
        admit(&context)?;
        let mut read = self.store.read_within(&context).await?;
        Ok(standing::subscribers(&self.store, &mut read).await?)
    }

    async fn list_relays(
        &self,
        context: Context,
        _request: ListRelaysRequest,
    ) -> Result<ListRelaysResponse, Status> {
        admit(&context)?;
        let (mut read, head) = (self.store.read_within(&context).await?, self.store.latest().await?);
        let relays = relay::standings(&self.store, &mut read).await?;
        Ok(ListRelaysResponse::default().with_relays(relays).with_head(position(&head, head.mark())))
    }

    async fn forget_subscriber(
        &self,
        context: Context,
        request: ForgetSubscriberRequest,
    ) -> Result<Committed<ForgetSubscriberResponse>, Status> {
        admit(&context)?;
        Ok(standing::forget(&self.store, &context, request).await?)
    }

    async fn list_parked_keys(
        &self,
        context: Context,
        request: ListParkedKeysRequest,
    ) -> Result<ListParkedKeysResponse, Status> {
        admit(&context)?;
        let mut read = self.store.read_within(&context).await?;
        parked_keys::list(&mut read, request).await
    }

    async fn get_parked_key(
        &self,
        context: Context,
        request: GetParkedKeyRequest,
    ) -> Result<GetParkedKeyResponse, Status> {
        admit(&context)?;
        let mut read = self.store.read_within(&context).await?;
        parked_keys::get(&mut read, request).await
    }

    async fn redrive_dead_letter(
        &self,
        context: Context,
        request: RedriveDeadLetterRequest,
    ) -> Result<Committed<RedriveDeadLetterResponse>, Status> {
        admit(&context)?;
        Ok(parked_keys::redrive(&self.store, &context, request).await?)
    }

    async fn skip_dead_letter(
        &self,
        context: Context,
        request: SkipDeadLetterRequest,
    ) -> Result<Committed<SkipDeadLetterResponse>, Status> {
        admit(&context)?;
        Ok(parked_keys::skip(&self.store, &context, request).await?)
    }

    async fn replay(
        &self,
        context: Context,
        request: ReplayRequest,
    ) -> Result<Committed<ReplayResponse>, Status> {
        admit(&context)?;
        replays::replay(&self.store, &context, request).await
    }

    async fn list_records(
        &self,
        context: Context,
        request: ListRecordsRequest,
    ) -> Result<ListRecordsResponse, Status> {
        admit(&context)?;
        records::list(&self.store, &self.witnesses, &context, &request.key).await
    }

    async fn list_events(
        &self,
        context: Context,
        request: ListEventsRequest,
    ) -> Result<ListEventsResponse, Status> {
        admit(&context)?;
        log::list(&self.store, &context, request).await
    }
}
