//! Holds money for an order, once per payment.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context};

use crate::convert;
use crate::payment::Ask;
use crate::settlement::{self, SettlementError};

/// Which payment is to hold how much of whose money.
pub(crate) struct Authorise {
    id: String,
    customer_id: String,
    amount_cents: i64,
}

impl From<pb::AuthoriseRequest> for Authorise {
    fn from(request: pb::AuthoriseRequest) -> Self {
        Self { id: request.id, customer_id: request.customer_id, amount_cents: request.amount_cents }
    }
}

/// Holds the money.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: Authorise,
) -> Result<Committed<pb::Payment>, SettlementError> {
    store.write(context, async move |work: &mut Work| authorise(work, command).await).await
}

async fn authorise(work: &mut Work, command: Authorise) -> Result<pb::Payment, SettlementError> {
    let Authorise { id, customer_id, amount_cents } = command;
    let authorised = settlement::ask(work, &id, Ask::Authorise { customer_id, amount_cents }).await?;
    Ok(convert::payment(&authorised))
}
