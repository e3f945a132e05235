//! Gives a hold up; one that never was is marked, so that a late Authorise is refused.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::convert;
use crate::payment::Ask;
use crate::settlement::{self, SettlementError};

/// Voids the payment of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::Payment>, SettlementError> {
    store.write(context, async move |work: &mut Work| void(work, &id).await).await
}

async fn void(work: &mut Work, id: &str) -> Result<pb::Payment, SettlementError> {
    let voided = settlement::ask(work, id, Ask::Void).await?;
    Ok(convert::payment(&voided))
}
