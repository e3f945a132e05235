//! Counts mails by state.

use freehold_sdk::notifications::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;

use crate::mail::State;
use crate::store::mails;

/// How many mails there are about orders whose id begins with `prefix`.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    prefix: &str,
) -> Result<pb::CountMailsResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let counts = mails::count(&mut read, prefix).await?;
    let of = |wanted| counts.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, mails)| *mails);
    Ok(pb::CountMailsResponse::default()
        .with_pending(of(State::Pending))
        .with_sent(of(State::Sent))
        .with_dropped(of(State::Dropped)))
}
