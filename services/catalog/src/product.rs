//! A product as this service thinks of it.

/// Something that is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// Chosen at creation.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) price_cents: i64,
    /// What it costs us; never leaves this service.
    pub(crate) cost_cents: i64,
    /// Who buys it for us; empty where nobody is named.
    pub(crate) buyer_email: String,
    pub(crate) state: State,
    /// Its category's name; empty where it has none.
    pub(crate) category: String,
}

/// Whether a product can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    /// For good, unless its discontinuation has a name and is taken back.
    Discontinued,
}

impl Product {
    /// Sets the price; the one before, where that was another.
    pub(crate) fn reprice(&mut self, cents: i64) -> Option<i64> {
        let old = std::mem::replace(&mut self.price_cents, cents);
        (old != cents).then_some(old)
    }

    /// Whether its sale has ended.
    pub(crate) fn is_discontinued(&self) -> bool {
        self.state == State::Discontinued
    }

    /// Ends the sale. Whether it had not ended before.
    pub(crate) fn discontinue(&mut self) -> bool {
        std::mem::replace(&mut self.state, State::Discontinued) != State::Discontinued
    }

    /// Begins the sale again. Whether it had ended.
    pub(crate) fn reinstate(&mut self) -> bool {
        std::mem::replace(&mut self.state, State::Active) != State::Active
    }
}

impl State {
    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Discontinued => "DISCONTINUED",
        }
    }

    /// The state behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Discontinued].into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chai() -> Product {
        Product {
            id: "1".to_owned(),
            name: "Chai".to_owned(),
            price_cents: 1800,
            cost_cents: 900,
            buyer_email: String::new(),
            state: State::Active,
            category: "Beverages".to_owned(),
        }
    }

    #[test]
    fn a_price_changes_only_where_it_differs() {
        let mut product = chai();
        assert_eq!(product.reprice(1800), None);
        assert_eq!(product.reprice(1900), Some(1800));
        assert_eq!(product.price_cents, 1900);
    }

    #[test]
    fn a_sale_ends_once_and_begins_again_once() {
        let mut product = chai();
        assert!(product.discontinue());
        assert!(!product.discontinue());
        assert_eq!(product.state, State::Discontinued);
        assert!(product.reinstate());
        assert!(!product.reinstate());
        assert_eq!(product.state, State::Active);
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for state in [State::Active, State::Discontinued] {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("active"), None);
    }
}
