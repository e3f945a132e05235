//! The double-entry ledger: every movement of money is one debit and one credit that sum to zero.
//!
//! The accounts of the ledger are `customer:<id>` (what a customer can spend), `held:<id>` (what is held of it),
//! `house` (what is ours) and `bank` (where customers' money comes from). **Invariant:** a movement has a name and is
//! booked once under it.

use crate::deposit::Deposit;
use crate::payment::{Payment, State};

const HOUSE: &str = "house";
const BANK: &str = "bank";

/// Money that moves from one account of the ledger to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Movement {
    /// What it is, once and for ever: "capture:10248".
    pub(crate) name: String,
    /// Loses the amount.
    pub(crate) debit: String,
    /// Gets it.
    pub(crate) credit: String,
    /// Never negative.
    pub(crate) amount_cents: i64,
}

impl Movement {
    /// The money that a customer's account opens with.
    pub(crate) fn opening(customer_id: &str, amount_cents: i64) -> Self {
        Self {
            name: format!("opening:{customer_id}"),
            debit: BANK.to_owned(),
            credit: spendable(customer_id),
            amount_cents,
        }
    }

    /// Money that a customer sent.
    pub(crate) fn deposit(deposit: &Deposit) -> Self {
        Self {
            name: format!("deposit:{}", deposit.id),
            debit: BANK.to_owned(),
            credit: spendable(&deposit.customer_id),
            amount_cents: deposit.amount_cents,
        }
    }

    /// The money that moves when a payment comes into the state that it is in now.
    pub(crate) fn into_state(payment: &Payment) -> Self {
        let (spendable, held) = (spendable(&payment.customer_id), held(&payment.customer_id));
        let (kind, debit, credit) = match payment.state {
            State::Authorised => ("authorise", spendable, held),
            State::Voided => ("void", held, spendable),
            State::Captured => ("capture", held, HOUSE.to_owned()),
            State::Refunded => ("refund", HOUSE.to_owned(), spendable),
        };
        Self { name: format!("{kind}:{}", payment.id), debit, credit, amount_cents: payment.amount_cents }
    }
}

/// The ledger's account of what a customer can spend.
pub(crate) fn spendable(customer_id: &str) -> String {
    format!("customer:{customer_id}")
}

/// The ledger's account of what is held of a customer's money.
pub(crate) fn held(customer_id: &str) -> String {
    format!("held:{customer_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(state: State) -> (String, String, String) {
        let payment =
            Payment { id: "10248".to_owned(), customer_id: "ALFKI".to_owned(), amount_cents: 500, state };
        let movement = Movement::into_state(&payment);
        (movement.name, movement.debit, movement.credit)
    }

    fn words(name: &str, debit: &str, credit: &str) -> (String, String, String) {
        (name.to_owned(), debit.to_owned(), credit.to_owned())
    }

    #[test]
    fn money_goes_from_the_customer_over_the_hold_to_the_house_and_back() {
        let (customer, held) = ("customer:ALFKI", "held:ALFKI");
        assert_eq!(movement(State::Authorised), words("authorise:10248", customer, held));
        assert_eq!(movement(State::Voided), words("void:10248", held, customer));
        assert_eq!(movement(State::Captured), words("capture:10248", held, "house"));
        assert_eq!(movement(State::Refunded), words("refund:10248", "house", customer));
    }
}
