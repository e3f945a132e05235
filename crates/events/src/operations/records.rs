//! What a service has on record of a key beside its events.

use std::sync::Arc;

use freehold_store::calls::{self, KeyedCall};
use freehold_store::outbox::timestamp;
use freehold_store::{Store, StoreError};
use freehold_wire::pb::{self, ListRecordsResponse};
use freehold_wire::{Context, Witness};
use tonic::Status;

/// The most keyed calls that are told.
const CALLS: i64 = 100;

/// What the store knows, and what each witness adds.
pub(crate) async fn list(
    store: &Store,
    witnesses: &[Arc<dyn Witness>],
    context: &Context,
    key: &str,
) -> Result<ListRecordsResponse, Status> {
    let mut told = ListRecordsResponse::default().with_calls(touching(store, context, key).await?);
    for witness in witnesses {
        witness.tell(context, key, &mut told).await?;
    }
    Ok(told)
}

async fn touching(store: &Store, context: &Context, key: &str) -> Result<Vec<pb::KeyedCall>, StoreError> {
    let mut read = store.read_within(context).await?;
    let calls = calls::that_touched(&mut read, key, CALLS).await?;
    Ok(calls.into_iter().map(call).collect())
}

fn call(call: KeyedCall) -> pb::KeyedCall {
    let KeyedCall { caller, method, entity, called_ms } = call;
    let at = timestamp(called_ms);
    pb::KeyedCall::default().with_caller(caller).with_method(method).with_entity(entity).with_called_at(at)
}
