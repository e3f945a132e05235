//! Takes what is held, once.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::convert;
use crate::payment::Ask;
use crate::settlement::{self, SettlementError};

/// Captures the payment of that id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: String,
) -> Result<Committed<pb::Payment>, SettlementError> {
    store.write(context, async move |work: &mut Work| capture(work, &id).await).await
}

async fn capture(work: &mut Work, id: &str) -> Result<pb::Payment, SettlementError> {
    let captured = settlement::ask(work, id, Ask::Capture).await?;
    Ok(convert::payment(&captured))
}
