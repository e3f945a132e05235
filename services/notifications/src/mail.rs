//! A mail as this service thinks of it, and what each event says in one. Pure.

/// A mail to a customer about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The id of the event that it is about.
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) order_id: String,
    pub(crate) subject: String,
    /// What it says between salutation and signature.
    pub(crate) body: String,
    pub(crate) state: State,
}

/// How far a mail has come; stored by these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending = 1,
    Sent = 2,
    Dropped = 3,
}

impl State {
    /// The state of that number.
    pub(crate) fn of(number: i64) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Dropped].into_iter().find(|state| state.number() == number)
    }

    /// The number that is stored.
    pub(crate) fn number(self) -> i64 {
        self as i64
    }
}

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Confirmed { total_cents: i64 },
    Rejected { reason: String },
    Cancelled,
    Shipped,
}

impl News {
    /// The mail that tells `customer_id` these news of an order, by the event's id.
    pub(crate) fn mail(&self, id: &str, customer_id: &str, order_id: &str) -> Mail {
        let (subject, body) = self.text(order_id);
        Mail {
            id: id.to_owned(),
            customer_id: customer_id.to_owned(),
            order_id: order_id.to_owned(),
            subject,
            body,
            state: State::Pending,
        }
    }

    fn text(&self, order_id: &str) -> (String, String) {
        match self {
            Self::Confirmed { total_cents } => (
                format!("Your order {order_id} is confirmed"),
                format!("We hold your goods and have taken {}.", money(*total_cents)),
            ),
            Self::Rejected { reason } => (
                format!("Your order {order_id} could not be taken"),
                format!("{} Nothing was charged.", excuse(reason)),
            ),
            Self::Cancelled => (
                format!("Your order {order_id} is cancelled"),
                "Your money is on its way back to your account.".to_owned(),
            ),
            Self::Shipped => {
                (format!("Your order {order_id} is on its way"), "It left our house today.".to_owned())
            }
        }
    }
}

fn excuse(reason: &str) -> &'static str {
    match reason {
        "INSUFFICIENT_STOCK" => "We do not have enough of what you ordered.",
        "INSUFFICIENT_FUNDS" => "Your account does not cover it.",
        "PRICE_ROSE" => "A price rose by more than a tenth before you had paid.",
        _ => "Something went wrong on our side.",
    }
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_says_what_happened_in_words_that_a_customer_understands() {
        let mail = News::Confirmed { total_cents: 44_005 }.mail("e1", "VINET", "10248");
        assert_eq!(mail.subject, "Your order 10248 is confirmed");
        assert_eq!(mail.body, "We hold your goods and have taken 440.05.");
        let mail = News::Rejected { reason: "INSUFFICIENT_FUNDS".to_owned() }.mail("e2", "VINET", "10249");
        assert_eq!(mail.body, "Your account does not cover it. Nothing was charged.");
    }

    #[test]
    fn a_state_is_found_by_its_number() {
        for state in [State::Pending, State::Sent, State::Dropped] {
            assert_eq!(State::of(state.number()), Some(state));
        }
        assert_eq!(State::of(0), None);
    }
}
