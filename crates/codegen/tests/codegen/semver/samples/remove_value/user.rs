//! An enum loses a value.

mod matches {
    use freehold_sdk::remove_value::v1::State;

    pub fn run(state: State) -> bool {
        match state {
            State::Open => true,
            _ => false,
        }
    }
}

mod matches_what_goes {
    use freehold_sdk::remove_value::v1::State;

    pub fn run(state: State) -> bool {
        match state {
            State::Sold => true,
            _ => false,
        }
    }
}
