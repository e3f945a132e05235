//! A payment: money for an order, and every way that it can go.
//!
//! [`decide`] is the whole state machine. A payment stays a row for ever: one that was given up, even before it was
//! asked for, refuses a late [`Ask::Authorise`] and a late [`Ask::Capture`]. **Invariant:** customer and amount of a
//! payment never change.

/// Money for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    /// The order's id.
    pub(crate) id: String,
    /// Empty where it was given up before it was asked for.
    pub(crate) customer_id: String,
    /// 0 where it was given up before it was asked for.
    pub(crate) amount_cents: i64,
    pub(crate) state: State,
}

/// How far a payment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Authorised,
    Captured,
    Voided,
    Refunded,
}

/// What is asked of a payment.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Authorise { customer_id: String, amount_cents: i64 },
    Void,
    Capture,
    Refund,
}

/// What becomes of a payment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It stays as it is.
    Same(Payment),
    /// It was given up before it was asked for: no money moves, now or later.
    Marked(Payment),
    /// It becomes this, and its money moves with it.
    Becomes(Payment),
}

/// Why a payment does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the payment `{0}` was captured; a refund gives it back")]
    Captured(String),
    #[error("the payment `{0}` was voided")]
    Voided(String),
    #[error("the payment `{0}` was refunded")]
    Refunded(String),
    #[error("the payment `{0}` is of another customer or amount")]
    Conflict(String),
    #[error("no payment has the id `{0}`")]
    Unknown(String),
}

/// Decides what becomes of the payment of that id, `known` as it stands.
///
/// Asking again for what has happened changes nothing. A refund gives up whatever there is, so it is never refused.
pub(crate) fn decide(known: Option<Payment>, id: &str, ask: Ask) -> Result<Next, Refusal> {
    let Some(known) = known else { return begin(id, ask) };
    match (known.state, ask) {
        (State::Voided, Ask::Authorise { .. } | Ask::Capture) => Err(Refusal::Voided(known.id)),
        (State::Refunded, Ask::Authorise { .. } | Ask::Capture) => Err(Refusal::Refunded(known.id)),
        (State::Captured, Ask::Void) => Err(Refusal::Captured(known.id)),
        (_, Ask::Authorise { customer_id, amount_cents })
            if customer_id != known.customer_id || amount_cents != known.amount_cents =>
        {
            Err(Refusal::Conflict(known.id))
        }
        (State::Authorised, Ask::Void | Ask::Refund) => Ok(becomes(known, State::Voided)),
        (State::Authorised, Ask::Capture) => Ok(becomes(known, State::Captured)),
        (State::Captured, Ask::Refund) => Ok(becomes(known, State::Refunded)),
        (State::Authorised | State::Captured, Ask::Authorise { .. })
        | (State::Captured, Ask::Capture)
        | (State::Voided | State::Refunded, Ask::Void | Ask::Refund) => Ok(Next::Same(known)),
    }
}

fn begin(id: &str, ask: Ask) -> Result<Next, Refusal> {
    let id = id.to_owned();
    match ask {
        Ask::Authorise { customer_id, amount_cents } => {
            Ok(Next::Becomes(Payment { id, customer_id, amount_cents, state: State::Authorised }))
        }
        Ask::Void | Ask::Refund => Ok(Next::Marked(Payment {
            id,
            customer_id: String::new(),
            amount_cents: 0,
            state: State::Voided,
        })),
        Ask::Capture => Err(Refusal::Unknown(id)),
    }
}

fn becomes(known: Payment, state: State) -> Next {
    Next::Becomes(Payment { state, ..known })
}

impl State {
    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Captured => "CAPTURED",
            Self::Voided => "VOIDED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// The state behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Authorised, Self::Captured, Self::Voided, Self::Refunded];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [State::Authorised, State::Captured, State::Voided, State::Refunded];

    fn authorise(amount_cents: i64) -> Ask {
        Ask::Authorise { customer_id: "ALFKI".to_owned(), amount_cents }
    }

    fn standing(state: State) -> Payment {
        Payment { id: "10248".to_owned(), customer_id: "ALFKI".to_owned(), amount_cents: 500, state }
    }

    fn after(state: State, ask: Ask) -> Result<Next, Refusal> {
        decide(Some(standing(state)), "10248", ask)
    }

    fn becomes(state: State) -> Result<Next, Refusal> {
        Ok(Next::Becomes(standing(state)))
    }

    #[test]
    fn money_is_held_then_taken_then_given_back() {
        assert_eq!(decide(None, "10248", authorise(500)), becomes(State::Authorised));
        assert_eq!(after(State::Authorised, Ask::Capture), becomes(State::Captured));
        assert_eq!(after(State::Captured, Ask::Refund), becomes(State::Refunded));
    }

    #[test]
    fn a_hold_is_given_up_by_a_void_and_by_a_refund() {
        assert_eq!(after(State::Authorised, Ask::Void), becomes(State::Voided));
        assert_eq!(after(State::Authorised, Ask::Refund), becomes(State::Voided));
    }

    #[test]
    fn asking_again_changes_nothing() {
        let same = |state, ask| assert_eq!(after(state, ask), Ok(Next::Same(standing(state))));
        same(State::Authorised, authorise(500));
        same(State::Captured, authorise(500));
        same(State::Captured, Ask::Capture);
        for state in [State::Voided, State::Refunded] {
            same(state, Ask::Void);
            same(state, Ask::Refund);
        }
    }

    type Decide = fn(Option<Payment>, &str, Ask) -> Result<Next, Refusal>;

    /// What a step is told that comes after its compensation; only what a decision writes down is known later.
    fn late_step(decide: Decide, compensation: Ask, step: Ask) -> Result<Next, Refusal> {
        let known = match decide(None, "10248", compensation)? {
            Next::Marked(payment) | Next::Becomes(payment) => Some(payment),
            Next::Same(_) => None,
        };
        decide(known, "10248", step)
    }

    /// The planted bug: nothing is there to give up, so nothing is written down.
    fn forgetful(known: Option<Payment>, id: &str, ask: Ask) -> Result<Next, Refusal> {
        match (&known, &ask) {
            (None, Ask::Void | Ask::Refund) => Ok(Next::Same(standing(State::Voided))),
            _ => decide(known, id, ask),
        }
    }

    /// E52.
    #[test]
    fn a_compensation_that_comes_first_refuses_the_late_step() {
        let voided = || Err(Refusal::Voided("10248".to_owned()));
        for compensation in [Ask::Void, Ask::Refund] {
            assert_eq!(late_step(decide, compensation.clone(), authorise(500)), voided());
            assert_eq!(late_step(decide, compensation.clone(), Ask::Capture), voided());
            let bug = late_step(forgetful, compensation, authorise(500));
            assert_eq!(bug, becomes(State::Authorised), "the planted bug holds money for nobody");
        }
    }

    /// E52.
    #[test]
    fn what_was_given_back_is_not_taken_again() {
        for late in [authorise(500), Ask::Capture] {
            assert_eq!(after(State::Refunded, late), Err(Refusal::Refunded("10248".to_owned())));
        }
    }

    #[test]
    fn another_customer_or_amount_under_the_same_id_is_a_conflict() {
        for state in [State::Authorised, State::Captured] {
            assert_eq!(after(state, authorise(501)), Err(Refusal::Conflict("10248".to_owned())));
            let other = Ask::Authorise { customer_id: "ANATR".to_owned(), amount_cents: 500 };
            assert_eq!(after(state, other), Err(Refusal::Conflict("10248".to_owned())));
        }
    }

    #[test]
    fn money_that_was_never_held_is_not_taken() {
        assert_eq!(decide(None, "10248", Ask::Capture), Err(Refusal::Unknown("10248".to_owned())));
    }

    #[test]
    fn money_that_was_taken_is_refunded_and_not_voided() {
        assert_eq!(after(State::Captured, Ask::Void), Err(Refusal::Captured("10248".to_owned())));
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for state in STATES {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("LOST"), None);
    }
}
