//! A customer's account: what it holds, and what of that is held for orders.
//!
//! **Invariant:** 0 <= held <= balance; what would break that is refused and changes nothing.

/// A customer's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) customer_id: String,
    /// All that is on it, the held part too.
    pub(crate) balance_cents: i64,
    /// What of it is authorised for orders.
    pub(crate) held_cents: i64,
}

/// Less can be spent than was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked_cents} cents were asked of customer `{customer_id}`, {available_cents} are available")]
pub(crate) struct Shortfall {
    pub(crate) customer_id: String,
    pub(crate) asked_cents: i64,
    pub(crate) available_cents: i64,
}

impl Account {
    /// What can be spent.
    pub(crate) fn available_cents(&self) -> i64 {
        self.balance_cents - self.held_cents
    }

    /// Money came in. Whether the account can count that much; where it cannot, nothing has changed.
    pub(crate) fn receive(&mut self, cents: i64) -> bool {
        let balance = self.balance_cents.checked_add(cents);
        self.balance_cents = balance.unwrap_or(self.balance_cents);
        balance.is_some()
    }

    /// Holds an amount for an order.
    pub(crate) fn hold(&mut self, cents: i64) -> Result<(), Shortfall> {
        let available_cents = self.available_cents();
        if cents > available_cents {
            let customer_id = self.customer_id.clone();
            return Err(Shortfall { customer_id, asked_cents: cents, available_cents });
        }
        self.held_cents += cents;
        Ok(())
    }

    /// A held amount can be spent again.
    pub(crate) fn let_go(&mut self, cents: i64) {
        self.held_cents -= cents;
    }

    /// A held amount becomes ours.
    pub(crate) fn take(&mut self, cents: i64) {
        self.held_cents -= cents;
        self.balance_cents -= cents;
    }

    /// An amount that was ours comes back.
    pub(crate) fn pay_back(&mut self, cents: i64) {
        self.balance_cents += cents;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(balance_cents: i64, held_cents: i64) -> Account {
        Account { customer_id: "ALFKI".to_owned(), balance_cents, held_cents }
    }

    #[test]
    fn no_more_is_held_than_can_be_spent() {
        let mut account = account(1000, 0);
        account.hold(700).unwrap();
        let shortfall = account.hold(301).unwrap_err();
        assert_eq!(shortfall.to_string(), "301 cents were asked of customer `ALFKI`, 300 are available");
        assert_eq!(account.held_cents, 700, "a refusal changes nothing");
        account.hold(300).unwrap();
        assert_eq!(account.available_cents(), 0);
    }

    #[test]
    fn money_comes_in_as_far_as_it_can_be_counted() {
        let mut account = account(i64::MAX - 1, 0);
        assert!(account.receive(1));
        assert!(!account.receive(1));
        assert_eq!(account.balance_cents, i64::MAX, "a refusal changes nothing");
    }

    #[test]
    fn a_hold_is_let_go_or_taken_and_what_was_taken_can_come_back() {
        let mut account = account(1000, 600);
        account.let_go(200);
        assert_eq!(account.available_cents(), 600);
        account.take(400);
        assert_eq!((account.balance_cents, account.held_cents), (600, 0));
        account.pay_back(400);
        assert_eq!(account.available_cents(), 1000);
    }
}
