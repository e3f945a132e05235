//! Baskets, and what may take the place of a product in them. Pure: no clock, no database.
//!
//! **Invariant:** whichever of the two comes first, a replacement and its restoration leave every basket as it was.

/// A line of a basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BasketLine {
    pub(crate) product_id: String,
    pub(crate) units: i64,
}

/// Which product takes the place of which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Chosen by the caller.
    pub(crate) id: String,
    pub(crate) product_id: String,
    pub(crate) by_product_id: String,
}

/// An exchange that happened, or never will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replacement {
    pub(crate) exchange: Exchange,
    pub(crate) state: State,
    pub(crate) moved_baskets: i64,
}

/// Whether the lines are where the exchange moved them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Moved,
    /// Moved back, or never moved.
    Restored,
}

impl State {
    const ALL: [Self; 2] = [Self::Moved, Self::Restored];

    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "MOVED",
            Self::Restored => "RESTORED",
        }
    }

    /// The state behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Whether customers are asked for over a tenth more than before.
pub(crate) fn is_too_much(before_cents: i64, now_cents: i64) -> bool {
    i128::from(now_cents) * 10 > i128::from(before_cents) * 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_may_be_a_tenth_higher_and_no_more() {
        assert!(!is_too_much(1000, 1100) && is_too_much(1000, 1101));
        assert!(!is_too_much(0, 0) && is_too_much(0, 1));
        assert!(!is_too_much(i64::MAX, i64::MAX));
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("moved"), None);
    }
}
