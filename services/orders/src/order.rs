//! An order as the fold of its events, and what may happen to it next. Pure: no clock, no database.
//!
//! **Invariant:** the same history folds to the same order, and only `decide` functions make new events.

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    Placed { customer_id: String, lines: Vec<Line> },
    Confirmed,
    Rejected { reason: String },
    Cancelled { reason: String },
    Shipped,
}

/// A fact in its place in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// From 1, gapless.
    pub(crate) revision: i64,
    /// Milliseconds since 1970 UTC.
    pub(crate) at_ms: i64,
    pub(crate) fact: Fact,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) state: State,
    pub(crate) lines: Vec<Line>,
    /// Why it was rejected or cancelled; empty otherwise.
    pub(crate) reason: String,
    pub(crate) placed_ms: i64,
    pub(crate) revision: i64,
}

/// A line of an order; it keeps the name and the price that it was placed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product_id: String,
    pub(crate) product_name: String,
    pub(crate) catalog_cents: i64,
    pub(crate) unit_cents: i64,
    pub(crate) units: i64,
    pub(crate) discount_basis_points: i32,
    /// The version of the product's copy that name and price were read from.
    pub(crate) product_version: i64,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Placed,
    Confirmed,
    Rejected,
    Cancelled,
    Shipped,
}

/// The order is in a state that does not allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the order `{id}` is {state:?} and cannot be {wish}")]
pub(crate) struct WrongState {
    id: String,
    state: State,
    wish: &'static str,
}

impl Order {
    /// The order after `history`, which begins with its placing; `None` where it does not.
    pub(crate) fn fold(id: &str, history: &[Recorded]) -> Option<Self> {
        let (first, later) = history.split_first()?;
        let mut order = Self::place(id, first)?;
        for recorded in later {
            order.apply(recorded);
        }
        Some(order)
    }

    fn place(id: &str, first: &Recorded) -> Option<Self> {
        let Fact::Placed { customer_id, lines } = &first.fact else { return None };
        Some(Self {
            id: id.to_owned(),
            customer_id: customer_id.clone(),
            state: State::Placed,
            lines: lines.clone(),
            reason: String::new(),
            placed_ms: first.at_ms,
            revision: first.revision,
        })
    }

    /// Takes the next fact in.
    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        self.revision = recorded.revision;
        match &recorded.fact {
            Fact::Placed { .. } => {}
            Fact::Confirmed => self.state = State::Confirmed,
            Fact::Shipped => self.state = State::Shipped,
            Fact::Rejected { reason } => self.end(State::Rejected, reason),
            Fact::Cancelled { reason } => self.end(State::Cancelled, reason),
        }
    }

    fn end(&mut self, state: State, reason: &str) {
        self.state = state;
        self.reason = reason.to_owned();
    }

    /// The sum of the lines, in cents.
    pub(crate) fn total_cents(&self) -> i64 {
        self.lines.iter().map(Line::cents).fold(0, i64::saturating_add)
    }

    /// A placed order whose stock is held and whose money is taken.
    pub(crate) fn confirm(&self) -> Result<Fact, WrongState> {
        self.only_from(State::Placed, "confirmed", Fact::Confirmed)
    }

    /// A placed order that came to nothing.
    pub(crate) fn reject(&self, reason: &str) -> Result<Fact, WrongState> {
        self.only_from(State::Placed, "rejected", Fact::Rejected { reason: reason.to_owned() })
    }

    /// A confirmed order that is not wanted any more.
    pub(crate) fn cancel(&self, reason: &str) -> Result<Fact, WrongState> {
        self.only_from(State::Confirmed, "cancelled", Fact::Cancelled { reason: reason.to_owned() })
    }

    /// A confirmed order that leaves the house.
    pub(crate) fn ship(&self) -> Result<Fact, WrongState> {
        self.only_from(State::Confirmed, "shipped", Fact::Shipped)
    }

    fn only_from(&self, state: State, wish: &'static str, fact: Fact) -> Result<Fact, WrongState> {
        if self.state == state {
            Ok(fact)
        } else {
            Err(WrongState { id: self.id.clone(), state: self.state, wish })
        }
    }
}

impl Line {
    /// What the line costs, in cents: units times price less the discount, rounded half up.
    pub(crate) fn cents(&self) -> i64 {
        let exact = i128::from(self.units)
            * i128::from(self.unit_cents)
            * i128::from(10_000 - self.discount_basis_points);
        i64::try_from((exact + 5_000).div_euclid(10_000)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(units: i64, unit_cents: i64, discount_basis_points: i32) -> Line {
        Line {
            product_id: "11".to_owned(),
            product_name: "Queso Cabrales".to_owned(),
            catalog_cents: 2100,
            unit_cents,
            units,
            discount_basis_points,
            product_version: 1,
        }
    }

    fn placed() -> Recorded {
        let fact = Fact::Placed { customer_id: "VINET".to_owned(), lines: vec![line(12, 1400, 0)] };
        Recorded { revision: 1, at_ms: 10, fact }
    }

    #[test]
    fn a_line_is_rounded_half_up_to_the_cent() {
        assert_eq!(line(12, 1400, 0).cents(), 16_800);
        assert_eq!(line(1, 1, 5000).cents(), 1);
        assert_eq!(line(1, 1, 5001).cents(), 0);
        assert_eq!(line(15, 1680, 1500).cents(), 21_420);
        assert_eq!(line(1_000_000, 1_000_000_000, 0).cents(), 1_000_000_000_000_000);
    }

    #[test]
    fn an_order_is_the_fold_of_its_history() {
        let confirmed = Recorded { revision: 2, at_ms: 20, fact: Fact::Confirmed };
        let cancelled =
            Recorded { revision: 3, at_ms: 30, fact: Fact::Cancelled { reason: "too late".to_owned() } };
        let order = Order::fold("10248", &[placed(), confirmed, cancelled]).unwrap();
        assert_eq!((order.state, order.revision, order.placed_ms), (State::Cancelled, 3, 10));
        assert_eq!((order.reason.as_str(), order.total_cents()), ("too late", 16_800));
    }

    #[test]
    fn a_history_that_does_not_begin_with_the_placing_is_no_order() {
        let confirmed = Recorded { revision: 1, at_ms: 20, fact: Fact::Confirmed };
        assert_eq!(Order::fold("10248", &[confirmed]), None);
        assert_eq!(Order::fold("10248", &[]), None);
    }

    #[test]
    fn each_step_is_allowed_from_one_state_only() {
        let order = Order::fold("10248", &[placed()]).unwrap();
        assert_eq!(order.confirm(), Ok(Fact::Confirmed));
        assert!(order.ship().is_err() && order.cancel("").is_err());
        let mut confirmed = order;
        confirmed.apply(&Recorded { revision: 2, at_ms: 0, fact: Fact::Confirmed });
        assert!(confirmed.confirm().is_err() && confirmed.reject("").is_err());
        assert_eq!(confirmed.ship(), Ok(Fact::Shipped));
        let refusal = confirmed.reject("").unwrap_err().to_string();
        assert_eq!(refusal, "the order `10248` is Confirmed and cannot be rejected");
    }
}
