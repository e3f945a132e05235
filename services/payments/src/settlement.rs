//! What holds a payment and its money together: payment, account and ledger change in one unit of work, or none does.
//!
//! Requests and reactions alike come here. **Invariant:** the payment is locked first, then the account; all go in this
//! one order, so nobody waits in a ring.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{StoreError, Work};

use crate::account::Shortfall;
use crate::ledger::Movement;
use crate::payment::{Ask, Next, Payment, Refusal, State, decide};
use crate::store::{accounts, entries, payments};

/// Why nothing has changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettlementError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("customer `{0}` has no account")]
    AccountUnknown(String),
    #[error(transparent)]
    Short(#[from] Shortfall),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does what is asked of the payment of that id, and tells the others where that concerns them.
pub(crate) async fn ask(work: &mut Work, id: &str, ask: Ask) -> Result<Payment, SettlementError> {
    work.lock::<pb::Payment>(id).await?;
    let known = payments::find(work, id).await?;
    let payment = match decide(known, id, ask)? {
        Next::Same(payment) => payment,
        Next::Marked(payment) => {
            payments::save(work, &payment).await?;
            payment
        }
        Next::Becomes(payment) => {
            move_money(work, &payment).await?;
            payments::save(work, &payment).await?;
            tell(work, &payment).await?;
            payment
        }
    };
    Ok(payment)
}

async fn move_money(work: &mut Work, payment: &Payment) -> Result<(), SettlementError> {
    let Some(mut account) = accounts::lock(work, &payment.customer_id).await? else {
        return Err(SettlementError::AccountUnknown(payment.customer_id.clone()));
    };
    match payment.state {
        State::Authorised => account.hold(payment.amount_cents)?,
        State::Voided => account.let_go(payment.amount_cents),
        State::Captured => account.take(payment.amount_cents),
        State::Refunded => account.pay_back(payment.amount_cents),
    }
    accounts::save(work, &account).await?;
    entries::book(work, &Movement::into_state(payment)).await?;
    Ok(())
}

async fn tell(work: &mut Work, payment: &Payment) -> Result<(), StoreError> {
    match payment.state {
        State::Captured => {
            let captured = pb::PaymentCaptured::default()
                .with_payment_id(payment.id.as_str())
                .with_customer_id(payment.customer_id.as_str())
                .with_amount_cents(payment.amount_cents);
            work.emit(&captured).await?;
        }
        State::Refunded => {
            let refunded = pb::PaymentRefunded::default()
                .with_payment_id(payment.id.as_str())
                .with_customer_id(payment.customer_id.as_str())
                .with_amount_cents(payment.amount_cents);
            work.emit(&refunded).await?;
        }
        State::Authorised | State::Voided => {}
    }
    Ok(())
}
