//! Opens a customer's account, once, with the money that it starts with.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::account::Account;
use crate::convert;
use crate::ledger::Movement;
use crate::store::{accounts, entries};

/// Whose account is to be opened, with how much.
pub(crate) struct OpenAccount {
    customer_id: String,
    opening_cents: i64,
}

impl From<pb::OpenAccountRequest> for OpenAccount {
    fn from(request: pb::OpenAccountRequest) -> Self {
        Self { customer_id: request.customer_id, opening_cents: request.opening_cents }
    }
}

/// Why no account was opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenAccountError {
    #[error("customer `{0}` has an account")]
    Exists(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpenAccountError> for Status {
    fn from(error: OpenAccountError) -> Self {
        match error {
            OpenAccountError::Exists(_) => {
                Reason::FailedPrecondition.because("ACCOUNT_EXISTS", error.to_string())
            }
            OpenAccountError::Store(error) => error.into(),
        }
    }
}

/// Opens the account.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: OpenAccount,
) -> Result<Committed<pb::Account>, OpenAccountError> {
    store.write(context, async move |work: &mut Work| open(work, command).await).await
}

async fn open(work: &mut Work, command: OpenAccount) -> Result<pb::Account, OpenAccountError> {
    if accounts::lock(work, &command.customer_id).await?.is_some() {
        return Err(OpenAccountError::Exists(command.customer_id));
    }
    let OpenAccount { customer_id, opening_cents } = command;
    let account = Account { customer_id, balance_cents: opening_cents, held_cents: 0 };
    accounts::save(work, &account).await?;
    entries::book(work, &Movement::opening(&account.customer_id, opening_cents)).await?;
    Ok(convert::account(&account))
}
