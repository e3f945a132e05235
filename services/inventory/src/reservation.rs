//! A reservation: stock held for an order, and every way that it can go.
//!
//! [`decide`] is the whole state machine. A reservation stays a row for ever: one that was released, even before it was
//! asked for, refuses a late [`Ask::Reserve`]. **Invariant:** the lines of a reservation never change.

use std::collections::BTreeMap;

/// Units by product; the order of the products is the order in which stock is locked.
pub(crate) type Lines = BTreeMap<String, i64>;

/// Stock held for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// The order's id.
    pub(crate) id: String,
    /// Empty where a release came first.
    pub(crate) lines: Lines,
    pub(crate) state: State,
}

/// Whether the stock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Held,
    Released,
    Shipped,
}

/// What is asked of a reservation.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Reserve(Lines),
    Release,
    Ship,
}

/// What becomes of a reservation, and of the stock of its lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It stays as it is.
    Same(Reservation),
    /// It becomes this.
    Becomes(Reservation),
}

/// Why a reservation does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the reservation `{0}` was released")]
    Released(String),
    #[error("the reservation `{0}` was shipped")]
    Shipped(String),
    #[error("the reservation `{0}` has other lines")]
    Conflict(String),
    #[error("no reservation has the id `{0}`")]
    Unknown(String),
}

/// Decides what becomes of the reservation of that id, `known` as it stands.
///
/// Asking again for what has happened changes nothing; whoever becomes `Held` holds its lines, whoever leaves `Held`
/// gives them back or takes them out.
pub(crate) fn decide(known: Option<Reservation>, id: &str, ask: Ask) -> Result<Next, Refusal> {
    let Some(known) = known else { return begin(id, ask) };
    match (known.state, ask) {
        (State::Released, Ask::Reserve(_) | Ask::Ship) => Err(Refusal::Released(known.id)),
        (State::Held | State::Shipped, Ask::Reserve(lines)) if lines != known.lines => {
            Err(Refusal::Conflict(known.id))
        }
        (State::Shipped, Ask::Release) => Err(Refusal::Shipped(known.id)),
        (State::Held, Ask::Release) => Ok(Next::Becomes(Reservation { state: State::Released, ..known })),
        (State::Held, Ask::Ship) => Ok(Next::Becomes(Reservation { state: State::Shipped, ..known })),
        (State::Held | State::Shipped, Ask::Reserve(_))
        | (State::Released, Ask::Release)
        | (State::Shipped, Ask::Ship) => Ok(Next::Same(known)),
    }
}

fn begin(id: &str, ask: Ask) -> Result<Next, Refusal> {
    let (lines, state) = match ask {
        Ask::Reserve(lines) => (lines, State::Held),
        Ask::Release => (Lines::new(), State::Released),
        Ask::Ship => return Err(Refusal::Unknown(id.to_owned())),
    };
    Ok(Next::Becomes(Reservation { id: id.to_owned(), lines, state }))
}

impl State {
    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Released => "RELEASED",
            Self::Shipped => "SHIPPED",
        }
    }

    /// The state behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Held, Self::Released, Self::Shipped].into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 3] = [State::Held, State::Released, State::Shipped];

    fn lines(units: i64) -> Lines {
        Lines::from([("1".to_owned(), units)])
    }

    fn standing(state: State) -> Reservation {
        Reservation { id: "10248".to_owned(), lines: lines(5), state }
    }

    fn becomes(state: State) -> Result<Next, Refusal> {
        Ok(Next::Becomes(standing(state)))
    }

    fn same(state: State) -> Result<Next, Refusal> {
        Ok(Next::Same(standing(state)))
    }

    #[test]
    fn stock_is_held_then_given_back_or_shipped() {
        assert_eq!(decide(None, "10248", Ask::Reserve(lines(5))), becomes(State::Held));
        assert_eq!(decide(Some(standing(State::Held)), "10248", Ask::Release), becomes(State::Released));
        assert_eq!(decide(Some(standing(State::Held)), "10248", Ask::Ship), becomes(State::Shipped));
    }

    #[test]
    fn asking_again_changes_nothing() {
        for state in [State::Held, State::Shipped] {
            assert_eq!(decide(Some(standing(state)), "10248", Ask::Reserve(lines(5))), same(state));
        }
        assert_eq!(decide(Some(standing(State::Released)), "10248", Ask::Release), same(State::Released));
        assert_eq!(decide(Some(standing(State::Shipped)), "10248", Ask::Ship), same(State::Shipped));
    }

    type Decide = fn(Option<Reservation>, &str, Ask) -> Result<Next, Refusal>;

    /// What a Reserve is told that comes after its own Release; only what a decision writes down is known later.
    fn late_reserve(decide: Decide) -> Result<Next, Refusal> {
        let known = match decide(None, "10248", Ask::Release)? {
            Next::Becomes(mark) => Some(mark),
            Next::Same(_) => None,
        };
        decide(known, "10248", Ask::Reserve(lines(5)))
    }

    /// The planted bug: nothing is there to release, so nothing is written down.
    fn forgetful(known: Option<Reservation>, id: &str, ask: Ask) -> Result<Next, Refusal> {
        match (&known, &ask) {
            (None, Ask::Release) => Ok(Next::Same(standing(State::Released))),
            _ => decide(known, id, ask),
        }
    }

    /// E52.
    #[test]
    fn a_release_that_comes_first_refuses_the_late_reserve() {
        assert_eq!(late_reserve(decide), Err(Refusal::Released("10248".to_owned())));
        assert_eq!(late_reserve(forgetful), becomes(State::Held), "the planted bug holds stock for nobody");
    }

    #[test]
    fn other_lines_under_the_same_id_are_a_conflict() {
        for state in [State::Held, State::Shipped] {
            let refused = decide(Some(standing(state)), "10248", Ask::Reserve(lines(6)));
            assert_eq!(refused, Err(Refusal::Conflict("10248".to_owned())));
        }
    }

    #[test]
    fn what_has_ended_one_way_does_not_end_the_other_way() {
        let refused = decide(Some(standing(State::Shipped)), "10248", Ask::Release);
        assert_eq!(refused, Err(Refusal::Shipped("10248".to_owned())));
        let refused = decide(Some(standing(State::Released)), "10248", Ask::Ship);
        assert_eq!(refused, Err(Refusal::Released("10248".to_owned())));
        let refused = decide(None, "10248", Ask::Ship);
        assert_eq!(refused, Err(Refusal::Unknown("10248".to_owned())));
    }

    #[test]
    fn only_a_held_reservation_becomes_another() {
        for state in STATES {
            for ask in [Ask::Reserve(lines(5)), Ask::Release, Ask::Ship] {
                let next = decide(Some(standing(state)), "10248", ask);
                assert!(state == State::Held || !matches!(next, Ok(Next::Becomes(_))), "{state:?}");
            }
        }
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for state in STATES {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("LOST"), None);
    }
}
