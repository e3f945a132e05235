//! Gives what was taken back; a hold is given up, and one that never was is marked.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::convert;
use crate::payment::Ask;
use crate::settlement::{self, SettlementError};

/// Refunds the payment of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::Payment>, SettlementError> {
    store.write(context, async move |work: &mut Work| refund(work, &id).await).await
}

async fn refund(work: &mut Work, id: &str) -> Result<pb::Payment, SettlementError> {
    let refunded = settlement::ask(work, id, Ask::Refund).await?;
    Ok(convert::payment(&refunded))
}
