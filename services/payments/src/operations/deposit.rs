//! Books money that a customer sent, once per deposit id: the same one again answers with the account as it stands.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::deposit::Deposit;
use crate::ledger::Movement;
use crate::store::{accounts, deposits, entries};

impl From<pb::DepositRequest> for Deposit {
    fn from(request: pb::DepositRequest) -> Self {
        Self { id: request.deposit_id, customer_id: request.customer_id, amount_cents: request.amount_cents }
    }
}

/// Why nothing was booked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DepositError {
    #[error("customer `{0}` has no account")]
    AccountUnknown(String),
    #[error("the account of customer `{0}` cannot count that much")]
    AccountFull(String),
    #[error("the deposit `{0}` was booked with another customer or amount")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DepositError> for Status {
    fn from(error: DepositError) -> Self {
        let message = error.to_string();
        match error {
            DepositError::AccountUnknown(_) => Reason::FailedPrecondition.because("ACCOUNT_UNKNOWN", message),
            DepositError::AccountFull(_) => Reason::ResourceExhausted.because("ACCOUNT_FULL", message),
            DepositError::Conflict(_) => Reason::FailedPrecondition.because("DEPOSIT_CONFLICT", message),
            DepositError::Store(error) => error.into(),
        }
    }
}

/// Books the deposit.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    deposit: Deposit,
) -> Result<Committed<pb::Account>, DepositError> {
    store.write(context, async move |work: &mut Work| book(work, deposit).await).await
}

async fn book(work: &mut Work, deposit: Deposit) -> Result<pb::Account, DepositError> {
    let Some(mut account) = accounts::lock(work, &deposit.customer_id).await? else {
        return Err(DepositError::AccountUnknown(deposit.customer_id));
    };
    if !deposits::book(work, &deposit).await? {
        let before = deposits::find(work, &deposit.id).await?;
        let again = before.as_ref() == Some(&deposit);
        return if again { Ok(convert::account(&account)) } else { Err(DepositError::Conflict(deposit.id)) };
    }
    if !account.receive(deposit.amount_cents) {
        return Err(DepositError::AccountFull(deposit.customer_id));
    }
    accounts::save(work, &account).await?;
    entries::book(work, &Movement::deposit(&deposit)).await?;
    Ok(convert::account(&account))
}
