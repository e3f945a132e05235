//! A ride, and what may become of it next. Pure: no clock, no database.
//!
//! **Invariant:** each state is entered once, from the one before it, and never before the time at which that one was.

/// A ride.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ride {
    /// Chosen by the caller.
    pub(crate) id: String,
    pub(crate) rider_id: String,
    /// Empty until it is accepted.
    pub(crate) driver_id: String,
    pub(crate) state: State,
    pub(crate) pickup: Point,
    pub(crate) destination: Point,
    /// Milliseconds since 1970 UTC, as the other times; those are 0 until then.
    pub(crate) requested_ms: i64,
    pub(crate) accepted_ms: i64,
    pub(crate) started_ms: i64,
    /// When it was finished or cancelled.
    pub(crate) ended_ms: i64,
    /// Why it was cancelled; empty otherwise.
    pub(crate) reason: String,
    /// The version of the permit's copy by which the driver took it; 0 until then.
    pub(crate) permit_version: i64,
}

/// A place on the earth, in degrees times 10^7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) latitude_e7: i32,
    pub(crate) longitude_e7: i32,
}

/// How far a ride has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Requested,
    Accepted,
    Started,
    Finished,
    Cancelled,
}

/// Who takes a ride, and which version of the permit lets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permitted {
    pub(crate) driver_id: String,
    pub(crate) permit_version: i64,
}

/// The ride is in a state that does not allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ride `{id}` is {state:?} and cannot be {wish}")]
pub(crate) struct WrongState {
    id: String,
    state: State,
    wish: &'static str,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Requested, Self::Accepted, Self::Started, Self::Finished, Self::Cancelled];

    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Accepted => "ACCEPTED",
            Self::Started => "STARTED",
            Self::Finished => "FINISHED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing can become of a ride any more.
    pub(crate) fn is_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled)
    }
}

impl Ride {
    /// A ride that waits for a driver.
    pub(crate) fn request(
        id: String,
        rider_id: String,
        [pickup, destination]: [Point; 2],
        at_ms: i64,
    ) -> Self {
        Self {
            id,
            rider_id,
            driver_id: String::new(),
            state: State::Requested,
            pickup,
            destination,
            requested_ms: at_ms,
            accepted_ms: 0,
            started_ms: 0,
            ended_ms: 0,
            reason: String::new(),
            permit_version: 0,
        }
    }

    /// Refuses whoever would take a ride that does not wait for a driver.
    pub(crate) fn may_be_accepted(&self) -> Result<(), WrongState> {
        self.only_from(&[State::Requested], "accepted")
    }

    /// A driver takes it.
    pub(crate) fn accept(self, by: Permitted, at_ms: i64) -> Result<Self, WrongState> {
        self.may_be_accepted()?;
        let Permitted { driver_id, permit_version } = by;
        let accepted_ms = self.not_before(at_ms);
        Ok(Self { state: State::Accepted, driver_id, permit_version, accepted_ms, ..self })
    }

    /// The rider is on board.
    pub(crate) fn start(self, at_ms: i64) -> Result<Self, WrongState> {
        self.only_from(&[State::Accepted], "started")?;
        let started_ms = self.not_before(at_ms);
        Ok(Self { state: State::Started, started_ms, ..self })
    }

    /// It has reached its destination.
    pub(crate) fn finish(self, at_ms: i64) -> Result<Self, WrongState> {
        self.only_from(&[State::Started], "finished")?;
        let ended_ms = self.not_before(at_ms);
        Ok(Self { state: State::Finished, ended_ms, ..self })
    }

    /// It is called off before it begins.
    pub(crate) fn cancel(self, reason: String, at_ms: i64) -> Result<Self, WrongState> {
        self.only_from(&[State::Requested, State::Accepted], "cancelled")?;
        let ended_ms = self.not_before(at_ms);
        Ok(Self { state: State::Cancelled, reason, ended_ms, ..self })
    }

    fn only_from(&self, states: &[State], wish: &'static str) -> Result<(), WrongState> {
        if states.contains(&self.state) {
            Ok(())
        } else {
            Err(WrongState { id: self.id.clone(), state: self.state, wish })
        }
    }

    /// A clock that was put back does not end a ride before it began.
    fn not_before(&self, at_ms: i64) -> i64 {
        at_ms.max(self.requested_ms).max(self.accepted_ms).max(self.started_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested() -> Ride {
        let point = Point { latitude_e7: 525_200_066, longitude_e7: 134_049_540 };
        Ride::request("r1".to_owned(), "VINET".to_owned(), [point, point], 10)
    }

    fn ada() -> Permitted {
        Permitted { driver_id: "ada".to_owned(), permit_version: 3 }
    }

    /// What a wish makes of a ride at the time 50.
    type Wish = fn(Ride) -> Result<Ride, WrongState>;

    const WISHES: [(&str, Wish); 4] = [
        ("accept", |ride| ride.accept(ada(), 50)),
        ("start", |ride| ride.start(50)),
        ("finish", |ride| ride.finish(50)),
        ("cancel", |ride| ride.cancel("no taxi".to_owned(), 50)),
    ];

    #[test]
    fn only_what_comes_next_may_become_of_a_ride() {
        let next = |state| match state {
            State::Requested => vec![State::Accepted, State::Cancelled],
            State::Accepted => vec![State::Started, State::Cancelled],
            State::Started => vec![State::Finished],
            State::Finished | State::Cancelled => Vec::new(),
        };
        for state in State::ALL {
            let ride = Ride { state, ..requested() };
            let became: Vec<State> = WISHES
                .iter()
                .filter_map(|(_, wish)| wish(ride.clone()).ok())
                .map(|ride| ride.state)
                .collect();
            assert_eq!(became, next(state), "{state:?}");
            assert_eq!(became.is_empty(), state.is_ended());
        }
    }

    #[test]
    fn a_ride_keeps_who_drove_when_and_by_which_permit() {
        let finished = requested().accept(ada(), 20).unwrap().start(30).unwrap().finish(40).unwrap();
        assert_eq!((finished.driver_id.as_str(), finished.permit_version), ("ada", 3));
        let times = [finished.requested_ms, finished.accepted_ms, finished.started_ms, finished.ended_ms];
        assert_eq!((times, finished.reason.as_str()), ([10, 20, 30, 40], ""));
        let cancelled = requested().accept(ada(), 20).unwrap().cancel("no taxi".to_owned(), 25).unwrap();
        assert_eq!((cancelled.reason.as_str(), cancelled.started_ms, cancelled.ended_ms), ("no taxi", 0, 25));
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_turn_the_times_around() {
        let finished = requested().accept(ada(), 5).unwrap().start(30).unwrap().finish(1).unwrap();
        assert_eq!([finished.accepted_ms, finished.started_ms, finished.ended_ms], [10, 30, 30]);
    }

    #[test]
    fn a_refusal_says_what_the_ride_is_and_was_to_be() {
        let refused = requested().finish(20).unwrap_err().to_string();
        assert_eq!(refused, "the ride `r1` is Requested and cannot be finished");
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        assert!(State::ALL.into_iter().all(|state| State::parse(state.as_str()) == Some(state)));
        assert_eq!(State::parse("requested"), None);
    }
}
