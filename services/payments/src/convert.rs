//! Between money on the wire and money in here. Nothing of it is private: what is kept is what is shared and answered.

use freehold_sdk::payments::v1 as pb;
use freehold_wire::Reason;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::account::{Account, Shortfall};
use crate::payment::{Payment, Refusal, State};
use crate::settlement::SettlementError;

/// An account as the contract describes it.
pub(crate) fn account(account: &Account) -> pb::Account {
    pb::Account::default()
        .with_customer_id(account.customer_id.as_str())
        .with_balance_cents(account.balance_cents)
        .with_held_cents(account.held_cents)
}

/// A payment as the contract describes it.
pub(crate) fn payment(payment: &Payment) -> pb::Payment {
    pb::Payment::default()
        .with_id(payment.id.as_str())
        .with_customer_id(payment.customer_id.as_str())
        .with_amount_cents(payment.amount_cents)
        .with_state(state(payment.state))
}

impl From<SettlementError> for Status {
    fn from(error: SettlementError) -> Self {
        match error {
            SettlementError::Refused(refusal) => refusal.into(),
            SettlementError::AccountUnknown(_) => {
                Reason::FailedPrecondition.because("ACCOUNT_UNKNOWN", error.to_string())
            }
            SettlementError::Short(shortfall) => shortfall.into(),
            SettlementError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::Unknown(id) => return not_found("payment", id),
            Refusal::Captured(_) => "ALREADY_CAPTURED",
            Refusal::Voided(_) => "ALREADY_VOIDED",
            Refusal::Refunded(_) => "ALREADY_REFUNDED",
            Refusal::Conflict(_) => "PAYMENT_CONFLICT",
        };
        Reason::FailedPrecondition.because(reason, refusal.to_string())
    }
}

impl From<Shortfall> for Status {
    fn from(shortfall: Shortfall) -> Self {
        let message = shortfall.to_string();
        let figures = [
            ("customer_id", shortfall.customer_id),
            ("asked_cents", shortfall.asked_cents.to_string()),
            ("available_cents", shortfall.available_cents.to_string()),
        ];
        Reason::FailedPrecondition.because_of("INSUFFICIENT_FUNDS", message, figures)
    }
}

fn state(state: State) -> pb::PaymentState {
    match state {
        State::Authorised => pb::PaymentState::Authorised,
        State::Captured => pb::PaymentState::Captured,
        State::Voided => pb::PaymentState::Voided,
        State::Refunded => pb::PaymentState::Refunded,
    }
}
